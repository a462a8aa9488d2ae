import { parentPort, workerData } from 'node:worker_threads';
import type { InferenceSession } from 'onnxruntime-node';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { toSourceBox, type Size } from '../capture/frame.js';
import { decode, type OutputValues } from './decode.js';
import {
  channelOrderOf,
  frameFormatOf,
  hasOpenSides,
  inputSizeOf,
  pixelScaleOf,
  recognizeLayout,
  type Layout,
} from './layout.js';
import { NativeGate } from './native-gate.js';
import { PictureInput } from './pixels.js';
import { WorkerJob, WorkerStart, type WorkerMessage } from './worker-messages.js';

/** Sides assumed where a model leaves them open: what Ultralytics and YOLOX-nano were trained at. */
const openSide = { ultralytics: 640, yolox: 416 };

interface Model {
  /** Planes of floats `[3, height, width]`: the picture goes here before a run. */
  planes: Float32Array;
  /** Runs the model on {@link planes}. The outputs are written over by the next run. */
  run: () => Promise<InferenceSession.OnnxValueMapType>;
  input: Size;
  layout: Layout;
  classes: number;
}

async function load({ modelPath, classes }: WorkerStart): Promise<Model> {
  const onnxruntime = await import('onnxruntime-node');
  const session = await onnxruntime.InferenceSession.create(modelPath, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  }).catch((error: unknown) => {
    const sentence = `${modelPath} is not a readable ONNX model (${messageOf(error)}). Put the file there anew.`;
    throw new AppError('model.unreadable', 'user', sentence, { modelPath }, { cause: error });
  });
  const [described] = session.inputMetadata;
  if (session.inputMetadata.length !== 1 || described === undefined || !described.isTensor) {
    const sentence = `The model wants the inputs ${session.inputNames.join(', ')}; understood is one picture.`;
    throw new AppError('model.unknown_layout', 'user', sentence);
  }
  const { name, type, shape } = described;
  // The warm-up run is what tells the true shapes: a description may leave them open. Its outputs serve every later
  // run, which spares an allocation of a megabyte for each frame.
  const warmed = async (input: Size): Promise<Model> => {
    const planes = new Float32Array(3 * input.width * input.height);
    const feeds = { [name]: new onnxruntime.Tensor('float32', planes, [1, 3, input.height, input.width]) };
    const outputs = await session.run(feeds);
    const shapes = Object.entries(outputs).map(([output, { dims }]) => ({ name: output, dims }));
    const layout = recognizeLayout(shapes, input, classes);
    return { planes, run: () => session.run(feeds, outputs), input, layout, classes };
  };
  const model = await warmed(inputSizeOf(type, shape, openSide.ultralytics));
  if (model.layout.family !== 'yolox' || !hasOpenSides(shape)) return model;
  return warmed(inputSizeOf(type, shape, openSide.yolox));
}

async function serve(
  start: WorkerStart,
  send: (message: WorkerMessage) => void,
): Promise<(job: WorkerJob) => Promise<void>> {
  const gate = new NativeGate(start.gate);
  const { planes, run, input, layout, classes } = await gate.within(() => load(start));
  const format = frameFormatOf(layout, input);
  const picture = new PictureInput(planes, format, channelOrderOf(layout), pixelScaleOf(layout));
  const frame = new SharedArrayBuffer(planes.length);
  const handed = new Uint8Array(frame);
  const pixels = new Uint8Array(planes.length);
  const startedAt = performance.now();
  await gate.within(run);
  send({ type: 'ready', format, family: layout.family, frame, runMs: Math.max(0.01, performance.now() - startedAt) });
  return async ({ id, source, minScore }) => {
    // Shared memory turns into floats four times slower than memory of one's own.
    pixels.set(handed);
    picture.show(pixels, source);
    const outputs = await gate.within(run);
    const objects = decode(layout, floatsOf(outputs), input, classes, minScore)
      .map(({ classIndex, score, box }) => ({ classIndex, score, box: toSourceBox(box, format, source) }))
      // What lay wholly in the padding has no extent in the source.
      .filter(({ box }) => box[2] > box[0] && box[3] > box[1]);
    send({ type: 'done', id, objects });
  };
}

function floatsOf(outputs: InferenceSession.OnnxValueMapType): OutputValues {
  const values: Record<string, Float32Array> = {};
  for (const [name, output] of Object.entries(outputs)) {
    if (output.data instanceof Float32Array) values[name] = output.data;
  }
  return values;
}

if (parentPort !== null) {
  const port = parentPort;
  const send = (message: WorkerMessage): void => port.postMessage(message);
  try {
    const inspect = await serve(WorkerStart.parse(workerData), send);
    port.on('message', (message: unknown) => {
      const job = WorkerJob.parse(message);
      inspect(job).catch((error: unknown) => send({ type: 'failed', id: job.id, message: messageOf(error) }));
    });
  } catch (error) {
    const code = error instanceof AppError ? error.code : 'model.unreadable';
    send({ type: 'refused', code, message: messageOf(error) });
  }
}
