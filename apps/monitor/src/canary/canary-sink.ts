import type { CoveragePart } from '#libs/contracts/coverage.js';
import { AppError } from '#libs/errors/app-error.js';
import type { CapturedFrame } from '../capture/frame.js';
import type { FindingSink, HeardFinding, ReadFinding } from '../pipeline/finding.types.js';
import type { Opened } from '../pipeline/pipeline.types.js';
import type { EvidenceDesk } from '../sessions/evidence-desk.js';
import type { SessionSink } from '../sessions/session-sink.js';
import { wavOf } from '../speech/wav.js';

/**
 * Where a canary's session tells what it found. Evidence is written as for people's streams, under names that the next
 * run overwrites, so that two files are all that a monitor ever leaves.
 */
export class CanarySink implements SessionSink, FindingSink {
  /** Why something that was found does not count; null when nothing is wrong. */
  fault: string | null = null;

  /**
   * @param name of the evidence, without an ending
   * @param tell told of each part that was found; safe once it resolves
   */
  constructor(
    private readonly name: string,
    private readonly evidence: Pick<EvidenceDesk, 'keep'>,
    private readonly tell: (part: CoveragePart) => Promise<void>,
  ) {}

  status(): void {
    // The stream is nobody's: nobody is told how it does.
  }

  async opened(_event: Opened, frame: CapturedFrame): Promise<void> {
    await this.keep('jpg', () => frame.jpeg);
    await this.tell('video');
  }

  async found(finding: HeardFinding | ReadFinding): Promise<void> {
    if (finding.kind === 'audio') {
      const { pcm } = finding;
      if (pcm !== null) await this.keep('wav', () => wavOf(pcm));
    }
    await this.tell(finding.kind);
  }

  written(): Promise<void> {
    return this.tell('speech');
  }

  closed(): Promise<void> {
    return Promise.resolve();
  }

  over(): Promise<void> {
    return Promise.resolve();
  }

  followed(): Promise<void> {
    return Promise.resolve();
  }

  /** @throws AppError `canary.no_evidence`: a finding without its evidence did not come out whole. */
  private async keep(ending: string, make: () => Buffer): Promise<void> {
    if ((await this.evidence.keep(`${this.name}.${ending}`, make)) !== null) return;
    this.fault = 'It was found, but its evidence could not be kept.';
    throw new AppError('canary.no_evidence', 'operational', this.fault);
  }
}
