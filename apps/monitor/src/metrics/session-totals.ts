import type { SessionReport } from '#libs/contracts/monitors.js';

/** What sessions count, each from zero. */
const FIGURES = {
  captured: (session: SessionReport) => session.framesCaptured,
  inspected: (session: SessionReport) => session.framesInspected,
  dropped: (session: SessionReport) => session.framesDropped,
  restarts: (session: SessionReport) => session.restarts,
  findings: (session: SessionReport) => session.findingsDropped,
  chat: (session: SessionReport) => session.chat?.received ?? 0,
  chatDropped: (session: SessionReport) => session.chat?.dropped ?? 0,
  heardMs: (session: SessionReport) => session.sound?.heardMs ?? 0,
  speechMs: (session: SessionReport) => session.sound?.speechMs ?? 0,
  speechDroppedMs: (session: SessionReport) => session.sound?.droppedMs ?? 0,
} as const;
type Figure = keyof typeof FIGURES;
const NAMES = Object.keys(FIGURES) as Figure[];

/** Adds up what all sessions of this process did, those that are over included: a sum that never falls. */
export class SessionTotals {
  private readonly sums = new Map<Figure, number>();
  private last = new Map<string, Map<Figure, number>>();

  /** Takes the newest reports of all sessions that run. */
  take(sessions: readonly SessionReport[]): void {
    const now = new Map<string, Map<Figure, number>>();
    for (const session of sessions) {
      const id = `${session.streamId} ${String(session.session)}`;
      const before = this.last.get(id);
      const figures = new Map(NAMES.map((name) => [name, FIGURES[name](session)]));
      for (const [name, value] of figures) {
        this.sums.set(name, this.of(name) + Math.max(0, value - (before?.get(name) ?? 0)));
      }
      now.set(id, figures);
    }
    this.last = now;
  }

  of(name: Figure): number {
    return this.sums.get(name) ?? 0;
  }
}
