import { z } from 'zod';
import { NAMESPACES, ROOMS } from '#libs/contracts/names.js';
import { SERVER_EVENTS } from '#libs/contracts/sockets.js';

const Namespace = z.enum([NAMESPACES.root, NAMESPACES.notifications, NAMESPACES.messages]);
const ROLES = ['admin', 'agent'] as const;

/** An event to be sent on, before it is held against the contract. */
export const ForwardRequest = z
  .object({
    namespace: Namespace.describe('Where it is sent.'),
    event: z
      .string()
      .min(1)
      .max(50)
      .describe('One that the server sends on this namespace.')
      .meta({ example: 'stream_update' }),
    room: z
      .string()
      .max(100)
      .describe('Who hears it: `user:<id>`, `role:<admin or agent>` or `stream:<id>`.')
      .meta({ example: 'role:admin' }),
    payload: z
      .record(z.string(), z.unknown())
      .describe('As the contract has it: see /docs/events.')
      .meta({ example: { streamId: '7f0c4a1e-9d53-4c1b-8a56-2f6d0c1b9e11', change: 'updated' } }),
  })
  .meta({ id: 'ForwardRequest' });
export type ForwardRequest = z.infer<typeof ForwardRequest>;

export const Forwarded = z
  .object({ namespace: Namespace, event: z.string(), room: z.string() })
  .meta({ id: 'Forwarded' });
export type Forwarded = z.infer<typeof Forwarded>;

/** A room by what it stands for. */
export type RoomTarget = { kind: 'user' | 'stream'; id: string } | { kind: 'role' };

/** What a room's name stands for, null for a name that no room has. */
export function roomTarget(room: string): RoomTarget | null {
  if (ROLES.some((role) => room === ROOMS.role(role))) return { kind: 'role' };
  for (const kind of ['user', 'stream'] as const) {
    const id = room.startsWith(ROOMS[kind]('')) ? room.slice(ROOMS[kind]('').length) : '';
    if (z.uuid().safeParse(id).success && id === id.toLowerCase()) return { kind, id };
  }
  return null;
}

/** The schema of an event's payload on a namespace, undefined for an event that it has not. */
export function payloadSchema(namespace: ForwardRequest['namespace'], event: string): z.ZodType | undefined {
  return new Map<string, z.ZodType>(Object.entries(SERVER_EVENTS[namespace])).get(event);
}
