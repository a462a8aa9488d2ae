import { z } from 'zod';
import { Zone } from '#libs/contracts/captures.js';
import { RelativePoint } from '#libs/contracts/primitives.js';
import { storableText } from '../storable-text.js';
import { faultOf } from './polygon.js';
import type { ZoneEntity } from './zone.entity.js';

const Name = storableText(100).trim().min(1).describe('Unique on its stream.').meta({ example: 'Doorway' });
const Kind = Zone.shape.kind
  .describe('`include`: objects count here alone; `exclude`: they do not count here.')
  .meta({ id: 'ZoneKind' });
const Points = z
  .array(RelativePoint)
  .min(3)
  .max(50)
  .superRefine((points, context) => {
    const fault = faultOf(points);
    if (fault !== null) context.addIssue({ code: 'custom', message: fault });
  })
  .describe('Corners as parts of width and height, 0 to 1, from the top left.')
  .meta({
    example: [
      [0.1, 0.2],
      [0.5, 0.2],
      [0.5, 0.9],
    ],
  });
const Labels = z.array(storableText(100)).max(100).describe('Labels it is for; none means all.');

export const ZoneView = z
  .object({
    id: z.uuid(),
    streamId: z.uuid(),
    name: z.string(),
    kind: Kind,
    points: z.array(RelativePoint),
    labels: z.array(z.string()),
    version: z.number().int().describe('Grows with every change.'),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Zone' });
export type ZoneView = z.infer<typeof ZoneView>;

export const ZoneList = z
  .object({ items: z.array(ZoneView).describe('By name; 50 at most.') })
  .meta({ id: 'ZoneList' });
export type ZoneList = z.infer<typeof ZoneList>;

export const CreateZoneRequest = z
  .strictObject({ name: Name, kind: Kind.default('include'), points: Points, labels: Labels.default([]) })
  .meta({ id: 'CreateZoneRequest' });
export type CreateZoneRequest = z.infer<typeof CreateZoneRequest>;

export const UpdateZoneRequest = z
  .strictObject({
    name: Name.optional(),
    kind: Kind.optional(),
    points: Points.optional(),
    labels: Labels.optional(),
  })
  .meta({ id: 'UpdateZoneRequest' });
export type UpdateZoneRequest = z.infer<typeof UpdateZoneRequest>;

export function viewOf(row: ZoneEntity): ZoneView {
  return { ...row, createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() };
}
