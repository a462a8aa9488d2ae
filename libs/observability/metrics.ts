import { timingSafeEqual, createHash } from 'node:crypto';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { tracedSpans } from './tracing.js';

/** Values by label; one without labels for a figure that has none. */
export type Samples = Iterable<readonly [labels: Readonly<Record<string, string>>, value: number]>;

/** A figure that is read when somebody asks for it: whoever counts need not know of metrics. */
export interface Reading {
  /** Ends in `_total` for what only grows. */
  name: string;
  help: string;
  labels?: readonly string[];
  read: () => Samples | Promise<Samples>;
}

/** One sample without labels. */
export const plain = (value: number): Samples => [[{}, value]];
/** One sample for each entry, its name as the label. */
export const each = (label: string, values: Readonly<Record<string, number>>): Samples =>
  Object.entries(values).map(([name, value]) => [{ [label]: name }, value] as const);

/** What a process tells Prometheus. Every room may add its figures. */
export class Metrics {
  private readonly registry = new Registry();

  constructor(app: string) {
    this.registry.setDefaultLabels({ app });
    collectDefaultMetrics({ register: this.registry });
    this.add({
      ...{ name: 'vigil_spans_total', help: 'Spans of traces, by what became of them; none while tracing is off.' },
      ...{ labels: ['outcome'], read: () => each('outcome', tracedSpans()) },
    });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** Adds figures. What cannot be read (a server is away) is left out of the answer, and the others are there. */
  add(...readings: readonly Reading[]): void {
    for (const { name, help, labels = [], read } of readings) {
      const take = async (set: (labels: Record<string, string>, value: number) => void): Promise<void> => {
        try {
          for (const [own, value] of await read()) set({ ...own }, value);
        } catch {
          // A figure that is missing is what an alert rule notices.
        }
      };
      const options = { name, help, labelNames: labels, registers: [this.registry] };
      if (name.endsWith('_total')) {
        new Counter({
          ...options,
          async collect() {
            this.reset();
            // A reset leaves a zero, which nobody read.
            if (labels.length === 0) this.remove();
            await take((own, value) => this.inc(own, value));
          },
        });
      } else {
        new Gauge({
          ...options,
          async collect() {
            this.reset();
            // A reset leaves a zero, which nobody read.
            if (labels.length === 0) this.remove();
            await take((own, value) => this.set(own, value));
          },
        });
      }
    }
  }

  /** Adds a distribution. */
  histogram<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    buckets: number[],
  ): Histogram<Label> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.registry] });
  }

  /** Everything, in Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** Names of all figures. */
  names(): string[] {
    return this.registry.getMetricsAsArray().map(({ name }) => name);
  }
}

/** Whether an `Authorization` header bears a token; takes the same time wherever it differs. */
export function bears(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer (\S{1,8192})$/i.exec(authorization ?? '')?.[1];
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}
