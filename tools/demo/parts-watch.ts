import type { DemoReport } from './report.js';
import { describePart, type StreamDoing } from './wanted-kinds.js';
import type { WatchPage } from './watch-page.js';

const EVERY_MS = 3_000;

/** Follows how the parts of the demo's session are doing, and tells of each change. */
export class PartsWatch {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  /** What was told last of each part. */
  private readonly last = new Map<string, string>();

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
    const news = Object.entries(parts ?? {})
      .map(([name, part]) => [name, describePart(part)] as const)
      .filter(([name, words]) => this.last.get(name) !== words);
    for (const [name, words] of news) this.last.set(name, words);
    if (news.length > 0) {
      this.report.event(
        'parts',
        { parts },
        news.map(([name, words]) => `${name}: ${words.split(' Fetch it:')[0] ?? ''}`).join('\n'),
      );
    }
    this.timer = setTimeout(() => void this.look(), EVERY_MS);
  }
}
