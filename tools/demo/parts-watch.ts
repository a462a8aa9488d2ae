import type { DemoReport } from './report.js';
import { describePart, type StreamDoing } from './wanted-kinds.js';
import type { WatchPage } from './watch-page.js';

const EVERY_MS = 3_000;

/** Follows how the parts of the demo's session are doing, and tells of each change. */
export class PartsWatch {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private last = '';

  constructor(
    private readonly ask: () => Promise<StreamDoing | null>,
    private readonly page: WatchPage,
    private readonly report: DemoReport,
  ) {
    this.timer = setTimeout(() => void this.look(), EVERY_MS);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async look(): Promise<void> {
    const parts = (await this.ask())?.parts ?? null;
    if (this.stopped) return;
    this.page.doing(parts);
    const words = Object.entries(parts ?? {}).map(([name, part]) => `${name} ${describePart(part)}`);
    const now = words.join(', ');
    if (parts !== null && now !== this.last) {
      this.last = now;
      this.report.event('parts', { parts }, `parts:  ${now}`);
    }
    this.timer = setTimeout(() => void this.look(), EVERY_MS);
  }
}
