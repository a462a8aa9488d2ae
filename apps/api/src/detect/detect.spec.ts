import { deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { HintSubscriber } from '#libs/bus/channels.js';
import { InspectionBoard } from '#libs/bus/inspections.js';
import { MonitorDirectory } from '#libs/bus/monitor-directory.js';
import { connectRedis, type RedisConnection } from '#libs/bus/redis.js';
import { InspectionRequest, type InspectionAnswer } from '#libs/contracts/inspections.js';
import { MonitorHeartbeat } from '#libs/contracts/monitors.js';
import { CHANNELS } from '#libs/contracts/names.js';
import { createLogger } from '#libs/observability/logger.js';
import { goldenFixture } from '#libs/testing/golden-fixtures.js';
import { testRedisUrl } from '#libs/testing/test-database.js';
import { TestApi } from '../test-api.fixture.js';

const REDIS_DATABASE = 8;
const logger = createLogger('detect', 'silent');
const picture = (width = 640, height = 320): Sharp =>
  sharp({ create: { width, height, channels: 3, background: '#336699' } });

type Told =
  Omit<Extract<InspectionAnswer, { outcome: 'inspected' }>, 'id'> | { v: 1; outcome: 'failed'; detail: string };

describe('looking at one thing on demand', () => {
  let api: TestApi;
  let agent: string;

  beforeAll(async () => {
    api = await TestApi.start({}, REDIS_DATABASE);
    const admin = await api.token(await api.user('chief', 'admin'));
    await api.call('POST', '/api/keywords', admin, { pattern: 'free money' });
    await api.call('POST', '/api/keywords', admin, { pattern: 'nothing', enabled: false });
    agent = await api.token(await api.user('watcher', 'agent'));
  }, 60_000);

  afterAll(() => api.close());

  const detect = (body: unknown) => api.call('POST', '/api/detect', agent, body);
  const base64 = async (image: Sharp | Promise<Buffer>): Promise<string> =>
    (image instanceof Promise ? await image : await image.png().toBuffer()).toString('base64');

  async function form(fields: Record<string, string | Uint8Array<ArrayBuffer>>) {
    const data = new FormData();
    for (const [name, value] of Object.entries(fields)) {
      data.append(name, typeof value === 'string' ? value : new Blob([value]));
    }
    const response = await fetch(`${api.url}/api/detect`, {
      method: 'POST',
      headers: { authorization: `Bearer ${agent}` },
      body: data,
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  it('finds the enabled keywords in a text, with the reason, and keeps nothing', async () => {
    const { status, body } = await detect({ text: 'fr33 money and nothing else' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      hits: [{ pattern: 'free money', matched: 'fr33 money', start: 0 }],
      ...{ objects: [], image: null },
    });
    expect((await detect({ text: 'good evening' })).body['hits']).toEqual([]);
    expect((await api.call('GET', '/api/detections', agent)).body['items']).toEqual([]);
  });

  it('refuses what is neither, and what does not fit', async () => {
    const bodies = [{}, { image: 'no base64!' }, { text: '' }, { text: 'a', minConfidence: 2 }, { text: 'a', more: 1 }];
    for (const body of bodies) expect([body, (await detect(body)).status]).toEqual([body, 400]);
    const png = new Uint8Array(await picture().png().toBuffer());
    const forms: Parameters<typeof form>[0][] = [
      { image: png, speech: 'perhaps' },
      { image: png, minConfidence: '1e-9' },
      { file: png },
    ];
    for (const fields of forms)
      expect([Object.keys(fields), (await form(fields)).status]).toEqual([Object.keys(fields), 400]);
    expect((await form({ image: new Uint8Array(10 * 2 ** 20 + 1) })).status).toBe(413);
  });

  it('says at once that no monitor is there, and what to do', async () => {
    const { status, body } = await detect({ image: await base64(picture()) });
    expect([status, body['code']]).toEqual([503, 'detect.image.unavailable']);
    expect(body['detail']).toContain('GET /api/detectors');
  });

  it('refuses hostile images, by what they are, before anybody is asked', async () => {
    const whole = await picture().jpeg().toBuffer();
    const images: [name: string, bytes: Buffer, code: string][] = [
      ['a page', Buffer.from('<!doctype html><script>alert(1)</script>'), 'refused'],
      [
        'a drawing with a script',
        Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
        'refused',
      ],
      ['a document', Buffer.from('%PDF-1.4\n'), 'refused'],
      ['nothing but zeros', Buffer.alloc(1_000), 'refused'],
      ['a beginning alone', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), 'broken'],
      ['a JPEG cut short', whole.subarray(0, whole.length / 2), 'broken'],
      ['a JPEG of noise', Buffer.concat([whole.subarray(0, 20), Buffer.alloc(5_000, 0x5a)]), 'broken'],
      ['a bomb', pngOf(30_000, 30_000), 'too_large'],
      ['a line without end', pngOf(60_000_000, 1), 'too_large'],
      ['a claim that is not so', pngOf(6_000, 6_000), 'broken'],
    ];
    for (const [name, bytes, code] of images) {
      const { status, body } = await detect({ image: bytes.toString('base64') });
      expect([name, status, body['code']]).toEqual([name, 400, `detect.image.${code}`]);
    }
  }, 30_000);

  describe('with a monitor', () => {
    let redis: RedisConnection;
    let hints: RedisConnection;
    const asked: InspectionRequest[] = [];
    const seen: { width: number; height: number; format: string }[] = [];
    let answer: Told = { v: 1, outcome: 'failed', detail: '' };

    beforeAll(async () => {
      redis = connectRedis(testRedisUrl(REDIS_DATABASE), 'monitor', logger);
      hints = connectRedis(testRedisUrl(REDIS_DATABASE), 'monitor-hints', logger);
      const heartbeat = MonitorHeartbeat.parse(goldenFixture('monitors', 'MonitorHeartbeat'));
      const detector = {
        id: 'yolo',
        title: 'Objects',
        options: {},
        detail: '',
        model: 'yolox-nano',
        labels: ['person'],
      };
      const directory = new MonitorDirectory(redis);
      await directory.announce({ ...heartbeat, detectors: [{ ...detector, state: 'ready' }] }, 60_000);
      const board = new InspectionBoard(redis);
      await new HintSubscriber(hints, logger).on(CHANNELS.inspections, InspectionRequest, (request) => {
        asked.push(request);
        void board.take(request.id).then(async (jpeg) => {
          const { width, height, format } = await sharp(jpeg ?? undefined).metadata();
          seen.push({ width, height, format });
          await board.answer({ ...answer, id: request.id });
        });
      });
    });
    afterAll(() => {
      redis.disconnect();
      hints.disconnect();
    });

    const found = (box: [number, number, number, number]): Told => ({
      ...{ v: 1, outcome: 'inspected', detector: 'yolo', model: 'yolox-nano' },
      objects: [{ label: 'person', score: 0.9, box }],
    });

    it('answers with what it found, boxes in pixels of the image as it was sent, in JSON and as a form', async () => {
      answer = found([10, 20, 110, 220]);
      const large = picture(2_560, 1_280);
      const expected = {
        hits: [],
        objects: [{ label: 'person', confidence: 0.9, box: [20, 40, 220, 440], detector: 'yolo' }],
        image: { width: 2_560, height: 1_280, model: 'yolox-nano' },
      };
      const json = await detect({ image: await base64(large), minConfidence: 0.5 });
      expect([json.status, json.body]).toEqual([200, expected]);
      expect([asked.at(-1)?.minConfidence, seen.at(-1)]).toEqual([0.5, { width: 1_280, height: 640, format: 'jpeg' }]);
      const bytes = new Uint8Array(await large.webp().toBuffer());
      const sent = await form({ image: bytes, text: 'free money', minConfidence: '0.25', detector: 'yolo' });
      expect([sent.status, sent.body]).toEqual([200, { ...expected, hits: [expect.objectContaining({ start: 0 })] }]);
      expect(asked.at(-1)).toMatchObject({ minConfidence: 0.25, detector: 'yolo' });
    });

    it('has pictures turned upright that a camera held sideways', async () => {
      answer = found([0, 0, 320, 640]);
      const image = await base64(picture(640, 320).withMetadata({ orientation: 6 }).jpeg().toBuffer());
      const { body } = await detect({ image });
      expect(seen.at(-1)).toMatchObject({ width: 320, height: 640 });
      expect(body).toMatchObject({ image: { width: 320, height: 640 }, objects: [{ box: [0, 0, 320, 640] }] });
    });

    it('says why the monitor could not, and that no monitor has such a detector', async () => {
      answer = { v: 1, outcome: 'failed', detail: 'Frames cannot be inspected: the model is still loading.' };
      const image = await base64(picture());
      const failed = await detect({ image });
      expect([failed.status, failed.body['code']]).toEqual([503, 'detect.image.failed']);
      expect(failed.body['detail']).toContain('still loading');
      const unknown = await detect({ image, detector: 'crystal-ball' });
      expect([unknown.status, unknown.body['code']]).toEqual([503, 'detect.image.unavailable']);
    });

    it('looks at a bounded number at once and has the others come again', async () => {
      answer = found([0, 0, 1, 1]);
      const image = await base64(picture());
      const answers = await Promise.all(Array.from({ length: 30 }, () => detect({ image })));
      const codes = answers.map(({ status, body }) => (status === 200 ? 'ok' : body['code']));
      expect(new Set(codes)).toEqual(new Set(['ok', 'detect.image.busy']));
      expect(codes.filter((code) => code === 'ok').length).toBeGreaterThanOrEqual(12);
      expect(answers.find(({ status }) => status === 503)?.headers.get('retry-after')).toBe('5');
      expect((await detect({ image })).status).toBe(200);
    }, 30_000);
  });
});

/** A PNG whose header claims a size that its few bytes of data do not have. */
function pngOf(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const parts: [type: string, data: Buffer][] = [
    ['IHDR', header],
    ['IDAT', deflateSync(Buffer.alloc(1_000))],
    ['IEND', Buffer.alloc(0)],
  ];
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...parts.map(([type, data]) => chunk(type, data))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(8 + body.length);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), 4 + body.length);
  return framed;
}

function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
