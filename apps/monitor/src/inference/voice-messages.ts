import { z } from 'zod';

const SharedMemory = z.custom<SharedArrayBuffer>(
  (value) => Object.prototype.toString.call(value) === '[object SharedArrayBuffer]',
);
/** By name, not by constructor: the other side may run in a context of its own. */
const Floats = z.custom<Float32Array<ArrayBuffer>>(
  (value) => Object.prototype.toString.call(value) === '[object Float32Array]',
);

/** Samples that the network sees at once, and those of the frame before that it wants with them. */
export const VOICE_FRAME = 512;
export const VOICE_CONTEXT = 64;

/** What the voice thread is started with. */
export const VoiceStart = z.object({ modelPath: z.string(), gate: SharedMemory });
export type VoiceStart = z.infer<typeof VoiceStart>;

/** What the voice thread is asked. */
export const VoiceAsk = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hear'),
    id: z.number().int(),
    stream: z.string(),
    /** Whole frames, -1 to 1, 16 kHz. */
    samples: Floats,
    /** True when nothing is known of what came before. */
    fresh: z.boolean(),
  }),
  z.object({ type: z.literal('forget'), stream: z.string() }),
]);
export type VoiceAsk = z.infer<typeof VoiceAsk>;

/** What the voice thread says. */
export const VoiceMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('refused'), code: z.string(), message: z.string() }),
  /** Probability of speech in each frame. */
  z.object({ type: z.literal('done'), id: z.number().int(), probabilities: Floats }),
  z.object({ type: z.literal('failed'), id: z.number().int(), message: z.string() }),
]);
export type VoiceMessage = z.infer<typeof VoiceMessage>;
