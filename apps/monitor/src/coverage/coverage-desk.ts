import type { CaptureJob } from '#libs/contracts/captures.js';
import type { CoveragePart } from '#libs/contracts/coverage.js';
import type { CoverageObserved } from '#libs/contracts/facts.js';
import type { SessionReport } from '#libs/contracts/monitors.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { PartTrack, type Reading } from './part-track.js';
import { ReportReader } from './report-reader.js';

/** How often sessions are looked at, ms. */
const LOOK_MS = 1_000;
/** After a fact no other one of the session for so long, however often its state changes, ms. */
const LEAST_PAUSE_MS = 5_000;

/** What the coverage of all sessions takes. */
export interface CoverageDeskParts {
  /** Keeps a fact; resolves once it is safe. */
  append: (fact: CoverageObserved) => Promise<unknown>;
  /** A session that goes on as it does is told of this often, ms. */
  reportMs: number;
  now: () => number;
  logger: Logger;
}

/** Which session it is about. */
interface Origin {
  job: Pick<CaptureJob, 'streamId' | 'parts'>;
  session: number;
  monitorId: string;
}

/** Keeps account of what the sessions of this process truly watch, and tells it as facts: few, whatever happens. */
export class CoverageDesk {
  private readonly open = new Set<SessionCoverage>();
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly parts: CoverageDeskParts) {}

  /**
   * Begins to look at a session.
   * @param report what the session says of itself; null for one that cannot even begin
   * @returns ends it, telling the rest; never rejects
   */
  follow(origin: Origin, report: () => SessionReport | null): () => Promise<void> {
    const coverage = new SessionCoverage(origin, report, this.parts);
    this.open.add(coverage);
    this.timer ??= setInterval(() => this.look(), LOOK_MS);
    return async () => {
      this.open.delete(coverage);
      if (this.open.size === 0 && this.timer !== null) {
        clearInterval(this.timer);
        this.timer = null;
      }
      await coverage.end();
    };
  }

  /** Looks at every session once. */
  look(): void {
    for (const coverage of this.open) coverage.look();
  }
}

/** What one session has watched, part by part. */
class SessionCoverage {
  private readonly tracks: ReadonlyMap<CoveragePart, PartTrack>;
  private readonly reader = new ReportReader();
  private toldAt: number;
  private hasChanged = false;

  constructor(
    private readonly origin: Origin,
    private readonly report: () => SessionReport | null,
    private readonly desk: CoverageDeskParts,
  ) {
    this.toldAt = desk.now();
    this.tracks = new Map(partsOf(origin.job).map((part) => [part, new PartTrack(part, this.toldAt)]));
  }

  look(): void {
    const at = this.desk.now();
    this.read(at);
    const sinceMs = at - this.toldAt;
    if (sinceMs >= this.desk.reportMs || (this.hasChanged && sinceMs >= LEAST_PAUSE_MS)) void this.tell(at, false);
  }

  /** Tells what is left. */
  async end(): Promise<void> {
    const at = this.desk.now();
    this.read(at);
    await this.tell(at, true);
  }

  private read(at: number): void {
    const report = this.report();
    const unwatchable: Reading = { gap: 'misconfigured', isProven: false, unless: 'misconfigured' };
    const readings = report === null ? null : this.reader.read(report, at);
    for (const [part, track] of this.tracks) {
      if (track.read(at, readings?.[part] ?? unwatchable)) this.hasChanged = true;
    }
  }

  private async tell(at: number, isLast: boolean): Promise<void> {
    const { job, session, monitorId } = this.origin;
    const spans = [...this.tracks.values()].flatMap((track) => track.take());
    this.toldAt = at;
    this.hasChanged = false;
    if (spans.length === 0) return;
    const fact = { type: 'coverage.observed', streamId: job.streamId, session, monitorId, isLast, spans } as const;
    await this.desk.append(fact).catch((error: unknown) => {
      this.desk.logger.error({ type: fact.type, error: messageOf(error) }, 'a fact could not be kept');
    });
  }
}

/** Sound is heard and written down: two parts, since one may fail without the other. */
function partsOf({ parts }: Pick<CaptureJob, 'parts'>): CoveragePart[] {
  return parts.flatMap((part): CoveragePart[] => (part === 'audio' ? ['audio', 'speech'] : [part]));
}
