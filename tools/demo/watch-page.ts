import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '#libs/config/environment.js';
import type { SessionReport } from '#libs/contracts/monitors.js';
import type { Finding } from './finding.js';
import { send, type Pages } from './pages.js';

/** Findings of each kind that are kept. */
const KEPT = 12;
const CAPTIONS = 8;
const LARGEST_EVIDENCE = 8 * 1024 * 1024;
const TEMPLATE = join(repositoryRoot, 'tools', 'demo', 'watch-page.html');

/** What was kept of a finding: its picture or its sound. */
interface Evidence {
  type: string;
  body: Buffer;
}

/** The page on which a person watches the demo; keeps the latest findings and what was kept of them in memory. */
export class WatchPage {
  private kept: { finding: Finding; evidence: Evidence | null }[] = [];
  private captions: { id: string; text: string; at: number }[] = [];
  private parts: SessionReport['parts'] | null = null;
  private readonly page = readFileSync(TEMPLATE, 'utf8');

  /** Adds a finding; its evidence is fetched now, because its address is valid for a short while only. */
  async add(finding: Finding): Promise<void> {
    const evidence = finding.evidence === null ? null : await fetchEvidence(finding.evidence);
    const same = this.kept.filter(({ finding: { kind } }) => kind === finding.kind);
    const oldest = same.length < KEPT ? null : same[0];
    this.kept = [...this.kept.filter((entry) => entry !== oldest), { finding, evidence }];
  }

  /** Adds what was said. */
  caption(id: string, text: string, at: number): void {
    this.captions = [...this.captions, { id, text, at }].slice(-CAPTIONS);
  }

  /** Shows how the parts of the session are doing. */
  doing(parts: SessionReport['parts'] | null): void {
    this.parts = parts;
  }

  /** Answers what the page asks for. */
  readonly pages: Pages = (path, response) => {
    // A mail links to what it tells of; the page finds it among the rest.
    if (path === '/' || /^\/detections\/[\w-]+$/.test(path)) {
      return send(response, 'text/html; charset=utf-8', this.page);
    }
    if (path === '/findings.json') {
      const findings = this.kept.map(({ finding, evidence }) => ({
        ...finding,
        evidence: evidence === null ? null : { url: `/evidence/${finding.id}`, type: evidence.type },
      }));
      return send(
        response,
        'application/json',
        JSON.stringify({ parts: this.parts, findings, captions: this.captions }),
      );
    }
    const id = /^\/evidence\/([\w-]+)$/.exec(path)?.[1];
    const evidence = this.kept.find(({ finding }) => finding.id === id)?.evidence;
    return evidence ? send(response, evidence.type, evidence.body) : false;
  };
}

async function fetchEvidence(url: string): Promise<Evidence | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    const type = /^(?:image\/jpeg|audio\/[\w.-]+)/.exec(response.headers.get('content-type') ?? '')?.[0];
    if (!response.ok || type === undefined) return null;
    const body = Buffer.from(await response.arrayBuffer());
    return body.length > LARGEST_EVIDENCE ? null : { type, body };
  } catch {
    return null;
  }
}
