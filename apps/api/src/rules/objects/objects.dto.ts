import { z } from 'zod';
import { Severity } from '#libs/contracts/primitives.js';
import { pageOf } from '../../http/pagination.js';
import type { ObjectRuleEntity } from './object-rule.entity.js';

const Label = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .describe('A label of the running model; GET /api/monitors lists them.')
  .meta({ example: 'person' });
const Threshold = z.number().min(0).max(1).describe('Lowest score that counts.').meta({ example: 0.5 });
const CooldownMs = z
  .number()
  .int()
  .min(0)
  .max(86_400_000)
  .describe('After an event opens, no further one of this rule on the same stream for so long, in ms.')
  .meta({ example: 30_000 });

export const ObjectRuleView = z
  .object({
    id: z.uuid(),
    label: z.string().meta({ example: 'person' }),
    threshold: z.number().meta({ example: 0.5 }),
    severity: Severity,
    cooldownMs: z.number().int().meta({ example: 30_000 }),
    enabled: z.boolean(),
    version: z.number().int().describe('Grows with every change.'),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'ObjectRule' });
export type ObjectRuleView = z.infer<typeof ObjectRuleView>;

export const ObjectRulePage = pageOf(ObjectRuleView, 'ObjectRulePage');

export const CreateObjectRuleRequest = z
  .strictObject({
    label: Label,
    threshold: Threshold.default(0.5),
    severity: Severity.default('medium'),
    cooldownMs: CooldownMs.default(30_000),
    enabled: z.boolean().default(true),
  })
  .meta({ id: 'CreateObjectRuleRequest' });
export type CreateObjectRuleRequest = z.infer<typeof CreateObjectRuleRequest>;

export const UpdateObjectRuleRequest = z
  .strictObject({
    label: Label.optional(),
    threshold: Threshold.optional(),
    severity: Severity.optional(),
    cooldownMs: CooldownMs.optional(),
    enabled: z.boolean().optional(),
  })
  .meta({ id: 'UpdateObjectRuleRequest' });
export type UpdateObjectRuleRequest = z.infer<typeof UpdateObjectRuleRequest>;

export function viewOf(row: ObjectRuleEntity): ObjectRuleView {
  const { id, label, threshold, severity, cooldownMs, enabled, version } = row;
  return {
    id,
    label,
    threshold,
    severity,
    cooldownMs,
    enabled,
    version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
