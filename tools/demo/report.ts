/** Tells what the demo does: as one JSON object per line on stdout, or in words. */
export class DemoReport {
  constructor(
    private readonly json: boolean,
    private readonly write: (text: string) => void = (text) => void process.stdout.write(text),
  ) {}

  /** An event for programs, and the words for it for people; null has no words. */
  event(event: string, facts: Readonly<Record<string, unknown>>, words: string | null): void {
    if (this.json) this.write(`${JSON.stringify({ event, ...facts })}\n`);
    else if (words !== null) this.write(`${words}\n`);
  }
}
