import { z } from 'zod';
import { Modality } from '#libs/contracts/primitives.js';
import type { SessionReport } from '#libs/contracts/monitors.js';

/** What the demo can wait for: a finding of a kind, a mail about one, and somebody who takes it on. */
export const Wanted = z.enum([...Modality.options, 'email', 'acknowledged']);
export type Wanted = z.infer<typeof Wanted>;

/** What the demo's stream is doing, as far as the api knows. */
export interface StreamDoing {
  /** Its status in words. */
  status: string;
  /** How each part of the running session is doing, null when no session runs. */
  parts: SessionReport['parts'] | null;
}

/** What the demo waits for. */
export class WantedKinds {
  private readonly seen = new Set<Wanted>();
  private finish: () => void = () => undefined;
  /** Resolves once one of each has come; never when none is waited for. */
  readonly complete = new Promise<void>((resolve) => (this.finish = resolve));

  constructor(private readonly wanted: readonly Wanted[]) {}

  get missing(): Wanted[] {
    return this.wanted.filter((kind) => !this.seen.has(kind));
  }

  /** Takes what came. @returns whether it was the first of a kind that is waited for */
  saw(kind: Wanted): boolean {
    if (!this.missing.includes(kind)) return false;
    this.seen.add(kind);
    if (this.missing.length === 0) this.finish();
    return true;
  }

  /** A sentence about what did not come in time, and why as far as it is known. */
  complaint(timeoutMs: number, stream: StreamDoing | null): string {
    const late = `nothing was found within ${timeoutMs / 1_000} s of kind ${this.missing.join(', ')}`;
    if (stream === null) return `${late}; the api does not say how the stream is doing`;
    if (stream.parts === null) return `${late}; no monitor watches the stream, which is ${stream.status}`;
    return `${late}; ${this.missing.map((kind) => partsOf(kind, stream.parts)).join('; ')}`;
  }
}

/** What is heard has two parts: the sound itself, and what is said. */
function partsOf(kind: Wanted, parts: StreamDoing['parts']): string {
  if (kind === 'email') return 'the mail server of the demo got nothing: logs/api.log says why';
  if (kind === 'acknowledged') return 'no alert was acknowledged';
  const names = kind === 'audio' ? (['audio', 'speech'] as const) : ([kind] as const);
  return names.map((name) => `${name} is ${describePart(parts?.[name])}`).join(', ');
}

/** The state of a part with its reason. */
export function describePart(part: { state: string; detail: string } | undefined): string {
  if (part === undefined) return 'unknown';
  return part.detail === '' ? part.state : `${part.state} (${part.detail.replace(/\.$/, '')})`;
}
