/** The part of `sherpa-onnx-node` 1.13 that is used; the package has no types of its own. */
declare module 'sherpa-onnx-node' {
  export interface OfflineStream {
    acceptWaveform(sound: { sampleRate: number; samples: Float32Array }): void;
  }
  export class OfflineRecognizer {
    static createAsync(config: object): Promise<OfflineRecognizer>;
    createStream(): OfflineStream;
    /** Resolves with the result parsed from JSON. */
    decodeAsync(stream: OfflineStream): Promise<unknown>;
  }
  const sherpa: { OfflineRecognizer: typeof OfflineRecognizer };
  export default sherpa;
}
