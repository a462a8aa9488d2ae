import type { ServerResponse } from 'node:http';
import type { Pages } from './origin.js';

/** A detection as the watch page shows it. */
interface Sighting {
  id: string;
  text: string;
  /** Address of its picture, null when none was kept. */
  evidence: string | null;
}

const KEPT = 12;

const PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Vigil demo</title>
<style>
  body { font: 16px system-ui, sans-serif; margin: 2rem; background: #14181d; color: #e8ecf0 }
  main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)) }
  figure { margin: 0 } img { width: 100%; border-radius: 6px; background: #303a44; min-height: 8rem }
</style>
<h1>What Vigil finds in the demo's stream</h1>
<p id="none">Nothing yet: the first object takes a few seconds.</p><main></main>
<script>
  const shown = new Set(), main = document.querySelector('main');
  async function refresh() {
    try {
      for (const { id, text, picture } of await (await fetch('/sightings.json')).json()) {
        if (shown.has(id)) continue;
        shown.add(id);
        document.getElementById('none').hidden = true;
        const figure = document.createElement('figure'), caption = document.createElement('figcaption');
        if (picture) figure.append(Object.assign(new Image(), { src: picture, alt: text }));
        caption.textContent = text;
        figure.append(caption);
        main.prepend(figure);
        while (main.children.length > ${KEPT}) main.lastChild.remove();
      }
    } catch {}
    setTimeout(refresh, 1000);
  }
  refresh();
</script></html>`;

/** The page on which a person watches the demo; keeps the latest sightings and their pictures in memory. */
export class WatchPage {
  private kept: { sighting: Sighting; picture: Buffer | null }[] = [];

  /** Adds a sighting; its picture is fetched now, because its address is valid for a short while only. */
  async add(sighting: Sighting): Promise<void> {
    const entry = { sighting, picture: sighting.evidence === null ? null : await picture(sighting.evidence) };
    this.kept = [...this.kept, entry].slice(-KEPT);
  }

  /** Answers what the page asks for. */
  readonly pages: Pages = (path, response) => {
    if (path === '/') return send(response, 'text/html; charset=utf-8', PAGE);
    if (path === '/sightings.json') {
      const list = this.kept.map(({ sighting: { id, text }, picture: image }) => ({
        id,
        text,
        picture: image === null ? null : `/pictures/${id}.jpg`,
      }));
      return send(response, 'application/json', JSON.stringify(list));
    }
    const id = /^\/pictures\/([\w-]+)\.jpg$/.exec(path)?.[1];
    const image = this.kept.find(({ sighting }) => sighting.id === id)?.picture;
    return image ? send(response, 'image/jpeg', image) : false;
  };
}

function send(response: ServerResponse, type: string, body: string | Buffer): boolean {
  response.writeHead(200, { 'content-type': type, 'x-content-type-options': 'nosniff' }).end(body);
  return true;
}

async function picture(url: string): Promise<Buffer | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    return response.ok ? Buffer.from(await response.arrayBuffer()) : null;
  } catch {
    return null;
  }
}
