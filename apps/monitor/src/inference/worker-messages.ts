import { z } from 'zod';
import { Box } from '#libs/contracts/primitives.js';

const Size = z.object({ width: z.number().int().positive(), height: z.number().int().positive() });

const FrameFormat = Size.extend({
  fit: z.enum(['letterbox-top-left', 'letterbox-center', 'stretch']),
  pad: z.number().int().min(0).max(255),
});

const SharedMemory = z.custom<SharedArrayBuffer>(
  (value) => Object.prototype.toString.call(value) === '[object SharedArrayBuffer]',
);

/** What a worker is started with. */
export const WorkerStart = z.object({
  modelPath: z.string(),
  classes: z.number().int().positive(),
  /** Memory of the gate around native code. */
  gate: SharedMemory,
});
export type WorkerStart = z.infer<typeof WorkerStart>;

/** One picture for a worker; its pixels lie in the memory that `ready` handed over. */
export const WorkerJob = z.object({ id: z.number().int(), source: Size, minScore: z.number().min(0).max(1) });
export type WorkerJob = z.infer<typeof WorkerJob>;

/** What a worker says. */
export const WorkerMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('ready'),
    format: FrameFormat,
    family: z.string(),
    /** Where the pixels of a job are written before it is sent: `format.width * format.height * 3` bytes. */
    frame: SharedMemory,
    /** How long a run took once the model was warm, ms. */
    runMs: z.number().positive().optional(),
  }),
  z.object({ type: z.literal('refused'), code: z.string(), message: z.string() }),
  z.object({
    type: z.literal('done'),
    id: z.number().int(),
    objects: z.array(z.object({ classIndex: z.number().int().nonnegative(), score: z.number(), box: Box })),
  }),
  z.object({ type: z.literal('failed'), id: z.number().int(), message: z.string() }),
]);
export type WorkerMessage = z.infer<typeof WorkerMessage>;
