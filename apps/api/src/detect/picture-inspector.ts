import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InspectionDesk } from '#libs/bus/inspections.js';
import { MonitorDirectory } from '#libs/bus/monitor-directory.js';
import type { Box } from '#libs/contracts/primitives.js';
import { Turns } from '../users/turns.js';
import { imageFailed, imagesBusy, monitorSilent, noMonitor } from './detect.errors.js';
import type { DetectResult } from './detect.dto.js';
import { readablePicture, type ReadablePicture } from './readable-picture.js';

/** Pictures that are looked at for clients at once, and that wait for their turn. */
const [MOST_AT_ONCE, MOST_WAITING] = [4, 8];
/** How long a monitor's answer is waited for, ms. */
const PATIENCE_MS = 10_000;

/** What is asked about a picture. */
interface Question {
  detector?: string | undefined;
  minConfidence: number;
}

/** Has monitors look at single pictures; nothing is kept. */
@Injectable()
export class PictureInspector {
  private readonly turns = new Turns(MOST_AT_ONCE, MOST_WAITING, imagesBusy);

  constructor(
    private readonly desk: InspectionDesk,
    private readonly monitors: MonitorDirectory,
  ) {}

  /**
   * Finds objects in a picture.
   * @throws AppError `detect.image.refused`, `.too_large`, `.broken` (400); `.unavailable`, `.timeout`, `.failed`,
   * `.busy` (503).
   */
  inspect(bytes: Buffer, question: Question): Promise<Pick<DetectResult, 'objects' | 'image'>> {
    return this.turns.take(async () => this.ask(await readablePicture(bytes), question));
  }

  private async ask(
    { jpeg, source, sent }: ReadablePicture,
    { detector, minConfidence }: Question,
  ): Promise<Pick<DetectResult, 'objects' | 'image'>> {
    if (!(await this.someReady(detector))) throw noMonitor(detector);
    const request = { v: 1 as const, id: randomUUID(), detector: detector ?? null, minConfidence };
    const answer = await this.desk.ask({ ...request, patienceMs: PATIENCE_MS }, jpeg).catch((): 'untaken' => 'untaken');
    if (answer === 'untaken') throw noMonitor(detector);
    if (answer === 'silent') throw monitorSilent();
    if (answer.outcome === 'failed') throw imageFailed(answer.detail);
    const [scaleX, scaleY] = [source.width / sent.width, source.height / sent.height];
    return {
      objects: answer.objects.map(({ label, score, box }) => ({
        ...{ label, confidence: score, detector: answer.detector },
        box: [box[0] * scaleX, box[1] * scaleY, box[2] * scaleX, box[3] * scaleY].map(tenths) as Box,
      })),
      image: { ...source, model: answer.model },
    };
  }

  /** Whether there is a monitor worth asking; which of its detectors look at pictures it alone knows. */
  private async someReady(detector: string | undefined): Promise<boolean> {
    const monitors = await this.monitors.list().catch(() => []);
    return monitors.some(({ detectors }) =>
      detectors.some(({ id, state }) => state === 'ready' && (detector === undefined || id === detector)),
    );
  }
}

const tenths = (value: number): number => Math.round(value * 10) / 10;
