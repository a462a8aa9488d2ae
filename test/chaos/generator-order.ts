import { z } from 'zod';

/** What a generator is told to do, as its only argument in JSON. */
export const GeneratorOrder = z.object({
  redisUrl: z.url(),
  spoolDir: z.string(),
  /** Cap of the spool, bytes. */
  maxBytes: z.number(),
  /** File that gets a line for each finding that the spool took. */
  ledger: z.string(),
  streamIds: z.array(z.uuid()).min(1),
  /** Rules the findings are spread over. */
  rules: z.number().int().positive(),
  /** Findings a second; 0 makes none and ships what is there. */
  rate: z.number().nonnegative(),
  /** Findings at most; 0 for no end. */
  most: z.number().int().nonnegative(),
  /** Size that each finding's picture is said to have; 0 for none. */
  imageBytes: z.number().int().nonnegative(),
});
export type GeneratorOrder = z.infer<typeof GeneratorOrder>;

/** What a generator says of itself, a line of JSON several times a second. */
export const GeneratorReport = z.object({
  made: z.number(),
  /** Findings that the spool did not take. */
  refused: z.number(),
  making: z.boolean(),
  rssBytes: z.number(),
  pending: z.number(),
  appended: z.number(),
  bytes: z.number(),
  shedRecords: z.number(),
  shedFrames: z.number(),
  resent: z.number(),
});
export type GeneratorReport = z.infer<typeof GeneratorReport>;
