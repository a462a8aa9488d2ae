import { appended, imported, namesOf, type Plan } from './scaffold.js';

const ROOM = 'apps/monitor/src/detectors';

/** A detector of pictures without a model: it finds the brightest part, until it is taught something better. */
export function detectorPlan(id: string): Plan {
  const { pascal, title } = namesOf(id);
  const registry = `${ROOM}/registry.ts`;
  const folder = `${ROOM}/${id}`;
  return {
    folder,
    files: {
      [`${folder}/${id}-detector.ts`]: adapter(id, pascal, title),
      [`${folder}/${id}-detector.spec.ts`]: spec(id, pascal),
    },
    edits: [
      imported(registry, `import { ${pascal}Detector } from './${id}/${id}-detector.js';`),
      appended(registry, /return \[/, `new ${pascal}Detector(),`),
    ],
    next: `It finds the brightest part of a picture. VIDEO_DETECTOR=${id} lets a monitor run it; docs/adding-a-detector.md says what to make of it.`,
  };
}

const adapter = (
  id: string,
  pascal: string,
  title: string,
): string => `import { setImmediate } from 'node:timers/promises';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import type { DetectedObject } from '#libs/contracts/primitives.js';
import { AppError } from '#libs/errors/app-error.js';
import { toSourceBox, type CapturedFrame, type FrameFormat } from '../../capture/frame.js';
import type { DetectorState, VideoDetector } from '../detector.port.js';

/** Small, for a look at brightness alone. */
const FORMAT: FrameFormat = { width: 64, height: 64, fit: 'stretch', pad: 0 };
/** Side of the squares that are held against each other. */
const CELL = 8;
const LABEL = 'bright';

/** Finds the brightest part of the picture. */
export class ${pascal}Detector implements VideoDetector {
  readonly descriptor: AdapterDescriptor = { id: '${id}', title: '${title}', options: {} };
  private phase: 'loading' | 'ready' | 'stopped' = 'loading';

  get frameFormat(): FrameFormat | null {
    return this.phase === 'ready' ? FORMAT : null;
  }

  state(): DetectorState {
    if (this.phase === 'ready') {
      return { state: 'ready', detail: 'Finds the brightest part.', model: 'brightness', labels: [LABEL] };
    }
    const detail = this.phase === 'loading' ? 'It is being started.' : 'Video is not inspected: it was stopped.';
    return { state: this.phase === 'loading' ? 'loading' : 'degraded', detail, model: null, labels: [] };
  }

  async start(): Promise<void> {
    if (this.phase === 'loading') this.phase = 'ready';
  }

  async inspect(
    { pixels, source }: Pick<CapturedFrame, 'pixels' | 'source'>,
    minScore: number,
    signal?: AbortSignal,
  ): Promise<DetectedObject[]> {
    if (this.phase !== 'ready') throw new AppError('inference.unavailable', 'operational', this.state().detail);
    await setImmediate(undefined, { signal });
    const { x, y, score } = brightest(pixels);
    const box = toSourceBox([x, y, x + CELL, y + CELL], FORMAT, source);
    return score >= minScore ? [{ label: LABEL, score, box }] : [];
  }

  async stop(): Promise<void> {
    this.phase = 'stopped';
  }
}

/** The brightest square, by the plane of green, and its mean from 0 to below 1. */
function brightest(pixels: Buffer): { x: number; y: number; score: number } {
  let best = { x: 0, y: 0, score: 0 };
  for (let y = 0; y < FORMAT.height; y += CELL) {
    for (let x = 0; x < FORMAT.width; x += CELL) {
      let sum = 0;
      for (let row = y; row < y + CELL; row += 1) {
        for (let column = x; column < x + CELL; column += 1) sum += pixels[row * FORMAT.width + column] ?? 0;
      }
      const score = sum / (CELL * CELL * 256);
      if (score > best.score) best = { x, y, score };
    }
  }
  return best;
}
`;

const spec = (id: string, pascal: string): string => `import { ${pascal}Detector } from './${id}-detector.js';

describe('${pascal}Detector', () => {
  const source = { width: 640, height: 320 };
  let detector: ${pascal}Detector;
  beforeEach(async () => {
    detector = new ${pascal}Detector();
    await detector.start();
  });
  afterEach(() => detector.stop());

  it('finds the brightest square, in pixels of the source', async () => {
    const pixels = Buffer.alloc(64 * 64 * 3);
    for (let row = 8; row < 16; row += 1) pixels.fill(200, row * 64 + 16, row * 64 + 24);
    const score = 200 / 256;
    expect(await detector.inspect({ pixels, source }, 0.5)).toEqual([
      { label: 'bright', score, box: [160, 40, 240, 80] },
    ]);
  });

  it('finds nothing in the dark', async () => {
    const pixels = Buffer.alloc(64 * 64 * 3, 20);
    expect(await detector.inspect({ pixels, source }, 0.5)).toEqual([]);
  });
});
`;
