import { z } from 'zod';
import { Severity, Signal } from '#libs/contracts/primitives.js';
import { AppError } from '#libs/errors/app-error.js';
import type { SignalRuleEntity } from './signal-rule.entity.js';

/** What people call each signal, and what it means. */
const WORDS: Readonly<Record<Signal, { title: string; description: string }>> = {
  dead_air: { title: 'Dead air', description: 'The sound is there, but nothing is to be heard for a while.' },
  audio_lost: { title: 'Sound lost', description: 'The stream had sound, and none arrives any more.' },
  clipping: { title: 'Clipping', description: 'The sound is recorded too loud and distorts.' },
  loudness_jump: { title: 'Loudness jump', description: 'It is suddenly much louder than it was.' },
  speech_activity: { title: 'Speech', description: 'Somebody has begun to speak for a good part of the time.' },
  hostile_chat: { title: 'Hostile chat', description: 'The tone of the chat has turned hostile.' },
};

const CooldownMs = z
  .number()
  .int()
  .min(0)
  .max(86_400_000)
  .describe('After one was told, no further one of this signal on the same stream for so long, in ms.')
  .meta({ example: 300_000 });

export const SignalRuleView = z
  .object({
    signal: Signal,
    title: z.string(),
    description: z.string(),
    severity: Severity,
    cooldownMs: z.number().int(),
    enabled: z.boolean(),
    version: z.number().int().describe('Grows with every change.'),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'SignalRule' });
export type SignalRuleView = z.infer<typeof SignalRuleView>;

export const SignalRuleList = z.object({ items: z.array(SignalRuleView) }).meta({ id: 'SignalRuleList' });
export type SignalRuleList = z.infer<typeof SignalRuleList>;

export const UpdateSignalRuleRequest = z
  .strictObject({
    severity: Severity.optional(),
    cooldownMs: CooldownMs.optional(),
    enabled: z.boolean().optional(),
  })
  .meta({ id: 'UpdateSignalRuleRequest' });
export type UpdateSignalRuleRequest = z.infer<typeof UpdateSignalRuleRequest>;

export function viewOf(row: SignalRuleEntity): SignalRuleView {
  return { ...row, ...WORDS[row.signal], updatedAt: row.updatedAt.toISOString() };
}

export const signalNotFound = (): AppError =>
  new AppError('signal.not_found', 'user', 'There is no such signal: see GET /api/signals.');
