import { parentPort, workerData } from 'node:worker_threads';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { NativeGate } from './native-gate.js';
import { VOICE_CONTEXT, VOICE_FRAME, VoiceAsk, VoiceStart, type VoiceMessage } from './voice-messages.js';

/** Floats of the network's memory of one stream: two layers of 128. */
const LAYER = 128;
/** Streams that go through the network together; measured, 16 at once cost a third of 16 one by one. */
const MOST_TOGETHER = 16;
const SILERO_RATE = 16_000n;

/** What the network keeps of a stream between two frames. */
interface Memory {
  state: Float32Array;
  context: Float32Array;
}

interface Job {
  id: number;
  stream: string;
  samples: Float32Array;
  probabilities: Float32Array<ArrayBuffer>;
  done: number;
}

/** Puts the frames of all streams that wait through one session, side by side, each with its own memory. */
class VoiceBatches {
  private readonly memories = new Map<string, Memory>();
  private readonly jobs: Job[] = [];
  private running = false;

  constructor(
    private readonly run: (input: Float32Array, state: Float32Array, size: number) => Promise<[Tensor, Tensor]>,
    private readonly send: (message: VoiceMessage) => void,
  ) {}

  ask(asked: VoiceAsk): void {
    if (asked.type === 'forget') {
      this.memories.delete(asked.stream);
      return;
    }
    const { id, stream, samples, fresh } = asked;
    if (fresh) this.memories.delete(stream);
    const frames = Math.floor(samples.length / VOICE_FRAME);
    this.jobs.push({ id, stream, samples, probabilities: new Float32Array(frames), done: 0 });
    if (!this.running) void this.work();
  }

  private async work(): Promise<void> {
    this.running = true;
    for (let batch = this.batch(); batch.length > 0; batch = this.batch()) {
      try {
        await this.step(batch);
      } catch (error) {
        for (const job of batch) {
          this.remove(job);
          this.send({ type: 'failed', id: job.id, message: messageOf(error) });
        }
      }
    }
    this.running = false;
  }

  /** The first job of each stream; jobs without frames are answered on the way. */
  private batch(): Job[] {
    const batch = new Map<string, Job>();
    for (const job of [...this.jobs]) {
      if (job.done === job.probabilities.length) this.finish(job);
      else if (batch.size < MOST_TOGETHER && !batch.has(job.stream)) batch.set(job.stream, job);
    }
    return [...batch.values()];
  }

  private async step(batch: readonly Job[]): Promise<void> {
    const size = batch.length;
    const width = VOICE_CONTEXT + VOICE_FRAME;
    const input = new Float32Array(size * width);
    const state = new Float32Array(2 * size * LAYER);
    const memories = batch.map(({ stream }) => this.memoryOf(stream));
    batch.forEach(({ samples, done }, index) => {
      const { context, state: kept } = memories[index] ?? this.memoryOf('');
      const frame = samples.subarray(done * VOICE_FRAME, (done + 1) * VOICE_FRAME);
      input.set(context, index * width);
      input.set(frame, index * width + VOICE_CONTEXT);
      for (const layer of [0, 1]) {
        state.set(kept.subarray(layer * LAYER, (layer + 1) * LAYER), (layer * size + index) * LAYER);
      }
    });
    const [output, next] = await this.run(input, state, size);
    if (!(output.data instanceof Float32Array) || !(next.data instanceof Float32Array)) {
      throw new AppError('model.unknown_layout', 'operational', 'The voice model does not answer with floats.');
    }
    for (const [index, job] of batch.entries()) {
      const memory = memories[index] ?? this.memoryOf('');
      memory.context = input.slice((index + 1) * width - VOICE_CONTEXT, (index + 1) * width);
      for (const layer of [0, 1]) {
        const from = (layer * size + index) * LAYER;
        memory.state.set(next.data.subarray(from, from + LAYER), layer * LAYER);
      }
      job.probabilities[job.done] = output.data[index] ?? 0;
      job.done += 1;
      if (job.done === job.probabilities.length) this.finish(job);
    }
  }

  private finish(job: Job): void {
    this.remove(job);
    this.send({ type: 'done', id: job.id, probabilities: job.probabilities });
  }

  private remove(job: Job): void {
    const at = this.jobs.indexOf(job);
    if (at >= 0) this.jobs.splice(at, 1);
  }

  private memoryOf(stream: string): Memory {
    const found = this.memories.get(stream);
    if (found !== undefined) return found;
    const memory = { state: new Float32Array(2 * LAYER), context: new Float32Array(VOICE_CONTEXT) };
    this.memories.set(stream, memory);
    return memory;
  }
}

async function serve(start: VoiceStart, send: (message: VoiceMessage) => void): Promise<VoiceBatches> {
  const gate = new NativeGate(start.gate);
  const onnxruntime = await import('onnxruntime-node');
  const session = await gate.within(() => open(start.modelPath, onnxruntime.InferenceSession));
  const sr = new onnxruntime.Tensor('int64', BigInt64Array.of(SILERO_RATE), []);
  const run = (input: Float32Array, state: Float32Array, size: number): Promise<[Tensor, Tensor]> =>
    gate.within(async () => {
      const outputs = await session.run({
        input: new onnxruntime.Tensor('float32', input, [size, input.length / size]),
        state: new onnxruntime.Tensor('float32', state, [2, size, LAYER]),
        sr,
      });
      const { output, stateN } = outputs;
      if (output === undefined || stateN === undefined) throw new Error('The voice model lacks an output.');
      return [output, stateN];
    });
  // A first run tells whether this is the model it should be.
  await run(new Float32Array(VOICE_CONTEXT + VOICE_FRAME), new Float32Array(2 * LAYER), 1).catch((error: unknown) => {
    const sentence = `${start.modelPath} is not a Silero voice model of version 5 or 6 (${messageOf(error)}).`;
    throw new AppError('model.unknown_layout', 'user', sentence, {}, { cause: error });
  });
  return new VoiceBatches(run, send);
}

function open(path: string, sessions: typeof InferenceSession): Promise<InferenceSession> {
  const options = {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 3,
  } as const;
  return sessions.create(path, options).catch((error: unknown) => {
    const sentence = `${path} is not a readable ONNX model (${messageOf(error)}). Run \`npm install\` again.`;
    throw new AppError('model.unreadable', 'operational', sentence, {}, { cause: error });
  });
}

if (parentPort !== null) {
  const port = parentPort;
  const send = (message: VoiceMessage): void => port.postMessage(message);
  try {
    const batches = await serve(VoiceStart.parse(workerData), send);
    port.on('message', (message: unknown) => batches.ask(VoiceAsk.parse(message)));
    send({ type: 'ready' });
  } catch (error) {
    const code = error instanceof AppError ? error.code : 'model.unreadable';
    send({ type: 'refused', code, message: messageOf(error) });
  }
}
