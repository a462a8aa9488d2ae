import { z } from 'zod';

/** Files of one model, in sherpa-onnx's own names (`OfflineModelConfig`). */
export const SherpaModel = z.object({
  family: z.enum(['whisper', 'moonshine', 'sense_voice', 'transducer', 'zipformer_ctc', 'nemo_ctc']),
  /** Absolute paths by the role that the family gives them. */
  files: z.record(z.string(), z.string()),
  tokens: z.string(),
  /** Code of the language; empty to let the model find out. */
  language: z.string(),
  threads: z.number().int().positive(),
});
export type SherpaModel = z.infer<typeof SherpaModel>;

/** What the child is told. Bytes are 16-bit little-endian PCM, 16 kHz, mono. */
export const ChildAsk = z.discriminatedUnion('type', [
  z.object({ type: z.literal('load'), model: SherpaModel }),
  z.object({
    type: z.literal('hear'),
    id: z.number().int(),
    pcm: z.custom<Uint8Array>((value) => ArrayBuffer.isView(value)),
  }),
]);
export type ChildAsk = z.infer<typeof ChildAsk>;

/** What the child says. */
export const ChildMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('loaded') }),
  z.object({ type: z.literal('text'), id: z.number().int(), text: z.string(), language: z.string() }),
  /** `id` is null when the model could not be loaded. */
  z.object({ type: z.literal('failed'), id: z.number().int().nullable(), message: z.string() }),
]);
export type ChildMessage = z.infer<typeof ChildMessage>;
