import { z } from 'zod';
import { CanaryOutcome } from '#libs/contracts/canary.js';
import { CoveragePart } from '#libs/contracts/coverage.js';

const Instant = z.iso.datetime();

export const CanaryRun = z
  .object({
    runId: z.uuid(),
    monitorId: z.string(),
    startedAt: Instant,
    parts: z
      .array(
        z.object({
          part: CoveragePart,
          outcome: CanaryOutcome.describe('`unproven`: it cannot be tried there, and nobody is told of it.'),
          reason: z.string().describe('Why it was not found; empty when it was.'),
          commitMs: z.number().nullable().describe('From on air until it was committed, ms.'),
          toldMs: z.number().nullable().describe('From on air until the sockets of admins had been told, ms.'),
        }),
      )
      .describe('Those that have been told; four when the run is complete.'),
  })
  .meta({ id: 'CanaryRun' });
export type CanaryRun = z.infer<typeof CanaryRun>;

export const CanaryQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20).describe('How many runs.'),
});
export type CanaryQuery = z.infer<typeof CanaryQuery>;

export const CanaryReport = z
  .object({
    runs: z.array(CanaryRun).describe('The newest first, of all monitors.'),
    channels: z
      .array(
        z.object({
          channel: z.string(),
          outcome: z.enum(['answered', 'failed']),
          reason: z.string(),
          tookMs: z.number().int(),
          at: Instant,
        }),
      )
      .describe('The latest probe of each delivery channel that is probed.'),
    troubles: z
      .array(
        z.object({
          kind: z.enum(['monitor', 'channel']),
          subject: z.string().describe('Id of the monitor or the channel.'),
          part: z.enum([...CoveragePart.options, 'run', 'probe']).describe('`run`: no run comes out at all.'),
          reason: z.string(),
          since: Instant.describe('When admins were told.'),
        }),
      )
      .describe('What admins were told of and lasts.'),
  })
  .meta({ id: 'CanaryReport' });
export type CanaryReport = z.infer<typeof CanaryReport>;
