/** Random numbers that are the same each time (mulberry32, Tommy Ettinger, public domain). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ODD = [
  '\0',
  '\x01',
  '\r',
  '\n',
  ' ',
  ':',
  ';',
  '=',
  '@',
  '\\',
  '"',
  '{',
  '[',
  ',',
  '😀',
  '\ud800',
  '\u202e',
  '9'.repeat(40),
];

/** Frames made of good ones: cut, doubled, swapped and sprinkled with what parsers trip over. */
export class Noise {
  constructor(
    private readonly samples: readonly string[],
    private readonly random: () => number,
  ) {}

  /** The next frame; now and then a good one. */
  next(): string {
    let text = this.sample();
    for (let times = Math.floor(this.random() * 5); times > 0; times -= 1) text = this.spoil(text);
    return text.slice(0, 8_000);
  }

  /** A random JSON value, not too deep. */
  value(depth = 0): unknown {
    const kind = Math.floor(this.random() * (depth > 3 ? 5 : 7));
    if (kind === 0) return null;
    if (kind === 1) return this.random() * 10 ** Math.floor(this.random() * 30 - 5);
    if (kind === 2) return this.random() < 0.5;
    if (kind <= 4) return this.next().slice(0, Math.floor(this.random() * 60));
    if (kind === 5) return Array.from({ length: Math.floor(this.random() * 4) }, () => this.value(depth + 1));
    return Object.fromEntries(
      Array.from({ length: Math.floor(this.random() * 4) }, () => [this.sample().slice(0, 8), this.value(depth + 1)]),
    );
  }

  /** The same shape as a good value, with some of its parts replaced by anything. */
  resemble(value: unknown): unknown {
    if (this.random() < 0.06) return this.value();
    if (typeof value === 'string') return this.random() < 0.2 ? this.spoil(value) : value;
    if (Array.isArray(value)) return value.map((part) => this.resemble(part));
    if (typeof value !== 'object' || value === null) return value;
    const kept = Object.entries(value).filter(() => this.random() > 0.03);
    return Object.fromEntries(kept.map(([name, part]) => [name, this.resemble(part)]));
  }

  private sample(): string {
    return this.samples[Math.floor(this.random() * this.samples.length)] ?? '';
  }

  private spoil(text: string): string {
    const from = Math.floor(this.random() * (text.length + 1));
    const to = Math.min(text.length, from + Math.floor(this.random() * 12));
    switch (Math.floor(this.random() * 5)) {
      case 0:
        return text.slice(0, from) + text.slice(to);
      case 1:
        return text.slice(0, to) + text.slice(from);
      case 2:
        return text.slice(0, from) + (ODD[Math.floor(this.random() * ODD.length)] ?? '') + text.slice(from);
      case 3:
        return text.slice(0, from) + this.sample().slice(-20) + text.slice(to);
      default:
        return text.slice(from);
    }
  }
}
