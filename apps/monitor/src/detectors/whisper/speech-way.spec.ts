import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAsrEngine } from './create-engine.js';
import { SpeechWay } from './speech-way.js';

describe('SpeechWay', () => {
  let server: Server;
  let url: string;
  const asked: { path: string; type: string; key: string; bytes: number }[] = [];

  beforeEach(async () => {
    asked.length = 0;
    server = createServer((request, response) => {
      let bytes = 0;
      request.on('data', (piece: Buffer) => (bytes += piece.length));
      request.on('end', () => {
        const { 'content-type': type = '', authorization: key = '' } = request.headers;
        asked.push({ path: request.url ?? '', type, key, bytes });
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"text":" hello there "}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('carries an utterance to the server of the settings, though its address is private', async () => {
    const way = await SpeechWay.open(url);
    const engine = createAsrEngine({
      ...{ serverUrl: url, serverKey: 'k', model: 'large', modelsDir: 'models' },
      fetch: (to, init) => way.fetch(to, init),
    });
    try {
      await engine.start();
      const text = await engine.transcribe({ pcm: new Int16Array(16_000) });
      expect(text).toEqual({ text: 'hello there', language: null, engine: 'openai', model: 'large' });
      expect(asked).toMatchObject([{ path: '/v1/audio/transcriptions', key: 'Bearer k' }]);
      expect(asked[0]?.type).toMatch(/^multipart\/form-data; boundary=/);
      expect(asked[0]?.bytes).toBeGreaterThan(32_000);
      expect(way.stats).toMatchObject({ refused: 0, requests: 1 });
      expect(way.stats.bytes).toBeGreaterThan(100);
    } finally {
      await engine.stop();
      await way.close();
    }
  });

  it('leads nowhere else', async () => {
    const way = await SpeechWay.open('http://127.0.0.1:1');
    try {
      await expect(way.fetch(new URL(url), { method: 'POST', body: 'x' })).rejects.toThrow('cannot be reached');
      expect(asked).toEqual([]);
      expect(way.stats.refused).toBe(1);
    } finally {
      await way.close();
    }
  });
});
