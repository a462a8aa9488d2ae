import { randomUUID } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import type { AttachmentView } from '#libs/contracts/sockets.js';
import type { EvidenceStore } from '#libs/evidence/evidence-store.js';
import { TestApi } from '../test-api.fixture.js';
import { ATTACHMENT_STORE, AttachmentsService } from './attachments.service.js';
import { safeFileName } from './file-name.js';
import { recogniseContent } from './recognise-content.js';

const DAY_MS = 24 * 60 * 60_000;
const picture = (width = 64, height = 48): Sharp =>
  sharp({ create: { width, height, channels: 3, background: '#336699' } });

/** A PNG whose header claims a size that its few bytes of data do not have. */
function pngOf(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const framed = Buffer.alloc(8 + body.length);
    framed.writeUInt32BE(data.length, 0);
    body.copy(framed, 4);
    framed.writeUInt32BE(crc32(body), 4 + body.length);
    return framed;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(1_000_000))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

const HTML = '<!doctype html><script>alert(1)</script>';
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>';
const WAV = Buffer.concat([Buffer.from('RIFF\x24\0\0\0WAVEfmt ', 'latin1'), Buffer.alloc(32)]);

describe('attachments', () => {
  let api: TestApi;
  let ids: Record<'anna' | 'ben' | 'cleo' | 'chief', string>;
  let tokens: Record<keyof typeof ids, string>;

  beforeAll(async () => {
    api = await TestApi.start({}, 13);
    ids = {
      anna: await api.user('anna', 'agent'),
      ben: await api.user('ben', 'agent'),
      cleo: await api.user('cleo', 'agent'),
      chief: await api.user('chief', 'admin'),
    };
    tokens = {
      anna: await api.token(ids.anna),
      ben: await api.token(ids.ben),
      cleo: await api.token(ids.cleo),
      chief: await api.token(ids.chief),
    };
  }, 60_000);

  afterAll(() => api.close());

  /** Posts a form of one part whose head is exactly this. */
  async function post(content: Buffer | string, name: Buffer | string, token = tokens.anna, field = 'file') {
    const body = Buffer.concat([
      Buffer.from(`--edge\r\nContent-Disposition: form-data; name="${field}"; filename="`),
      Buffer.from(name),
      Buffer.from('"\r\nContent-Type: image/png\r\n\r\n'),
      Buffer.from(content),
      Buffer.from('\r\n--edge--\r\n'),
    ]);
    const response = await fetch(`${api.url}/api/attachments`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=edge' },
      body: new Uint8Array(body),
    });
    const answer = JSON.parse(await response.text()) as Record<string, unknown>;
    return {
      status: response.status,
      code: answer['code'],
      detail: answer['detail'],
      view: answer as unknown as AttachmentView,
    };
  }

  const fetchAs = (token: string, id: string): Promise<Response> =>
    fetch(`${api.url}/api/attachments/${id}`, { headers: { authorization: `Bearer ${token}` } });

  it('are known by their content, whatever they are called', async () => {
    const cases: [Buffer | string, string, string][] = [
      [await picture().png().toBuffer(), 'a.exe', 'image/png a.png'],
      [await picture().jpeg().toBuffer(), 'a.png', 'image/jpeg a.jpg'],
      [await picture().webp().toBuffer(), 'a', 'image/webp a.webp'],
      [await picture().gif().toBuffer(), 'a.html', 'image/gif a.gif'],
      ['%PDF-1.4\n%\xe2\xe3\n', 'a.pdf', 'application/pdf a.pdf'],
      ['Just a note, with a < b.', 'a.html', 'text/plain a.txt'],
      [WAV, 'a.wav', 'audio/wav a.wav'],
      [Buffer.concat([Buffer.from('ID3\x04'), Buffer.alloc(64)]), 'a', 'audio/mpeg a.mp3'],
      [Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0x64]), Buffer.alloc(64)]), 'a', 'audio/mpeg a.mp3'],
    ];
    for (const [content, name, expected] of cases) {
      const { status, view } = await post(content, name);
      expect({ status, is: `${view.contentType} ${view.name}` }).toEqual({ status: 201, is: expected });
    }
  });

  it.each([
    ['a page', HTML],
    ['a page behind a byte order mark and spaces', `\ufeff \n${HTML}`],
    ['a drawing with a script', SVG],
    ['XML', `<?xml version="1.0"?>${SVG}`],
    ['a shell script', '#!/bin/sh\nrm -rf /'],
    ['a program', Buffer.concat([Buffer.from('MZ\x90\0\x03'), Buffer.alloc(100)])],
    ['an ELF', Buffer.from('\x7fELF\x02\x01\x01\0', 'latin1')],
    ['a ZIP', Buffer.from('PK\x03\x04\x14\0', 'latin1')],
    ['text with a null byte', 'a\0b'],
    ['text that is no UTF-8', Buffer.from([0x61, 0xff, 0xfe, 0x62])],
  ])('that are %s are refused with a sentence, also as .png', async (_what, content) => {
    const answer = await post(content, 'holiday.png');
    expect(answer).toMatchObject({ status: 400, code: 'attachment.refused' });
    expect(answer.detail).toContain('PNG, JPEG, WebP');
  });

  it('lose what hides in pictures: metadata, position, a page behind the pixels', async () => {
    const exif = { IFD0: { Copyright: 'SECRET-OWNER' }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 0/1' } };
    const jpeg = Buffer.concat([await picture().jpeg().withExif(exif).toBuffer(), Buffer.from(HTML)]);
    expect(jpeg.toString('latin1')).toContain('SECRET-OWNER');
    const { status, view } = await post(jpeg, 'me.jpg');
    expect({ status, width: view.width, height: view.height }).toEqual({ status: 201, width: 64, height: 48 });
    const kept = Buffer.from(await (await fetchAs(tokens.anna, view.id)).arrayBuffer());
    expect(kept.toString('latin1')).not.toMatch(/SECRET-OWNER|<script>/);
    const { exif: left, format } = await sharp(kept).metadata();
    expect({ left, format, size: kept.length }).toEqual({ left: undefined, format: 'jpeg', size: view.size });
  });

  it('are bounded in pixels, and a picture that claims to be huge is not unpacked', async () => {
    const before = process.memoryUsage().rss;
    for (const bomb of [pngOf(50_000, 50_000), pngOf(2_000_000, 30)]) {
      expect(await post(bomb, 'bomb.png')).toMatchObject({ status: 400, code: 'attachment.picture.too_large' });
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(400_000_000);
    expect(await post(pngOf(3_000, 3_000), 'short.png')).toMatchObject({
      status: 400,
      code: 'attachment.picture.broken',
    });
    const { view } = await post(await picture(5_000, 100).png().toBuffer(), 'wide.png');
    expect(view).toMatchObject({ width: 4_096, height: 82 });
  });

  it('keep moving pictures moving', async () => {
    const frame = (background: string): Promise<Buffer> =>
      sharp({ create: { width: 20, height: 10, channels: 3, background } })
        .png()
        .toBuffer();
    const frames = await Promise.all(['#100000', '#c00000'].map(frame));
    const gif = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer();
    const { view } = await post(gif, 'dance.gif');
    expect(view).toMatchObject({ contentType: 'image/gif', width: 20, height: 10 });
    const kept = Buffer.from(await (await fetchAs(tokens.anna, view.id)).arrayBuffer());
    expect((await sharp(kept).metadata()).pages).toBe(2);
  });

  it.each([
    ['../../etc/passwd', 'passwd.txt'],
    ['..\\..\\windows\\system32\\cmd.exe', 'cmd.txt'],
    ['a"; filename="evil.html', 'a.txt'],
    ['.htaccess', 'file.txt'],
    ['con.txt', 'file.txt'],
    ['', 'file.txt'],
    ['....', 'file.txt'],
    ['report.pdf.exe', 'report.pdf.txt'],
    ['Überwachung 日本.txt', 'Überwachung 日本.txt'],
  ])('called %j are kept under a safe name', async (given, expected) => {
    const { status, view } = await post('a note', given);
    if (given === '') expect(status).toBe(400);
    else expect({ status, name: view.name }).toEqual({ status: 201, name: expected });
  });

  it('with names of null bytes, line breaks, reversed text or 100 kB do no harm', async () => {
    expect(safeFileName('a\0b\r\nSet-Cookie: x\u202egnp.exe', 'png')).toBe('a_b__Set-Cookie_ x_gnp.png');
    expect(safeFileName('x'.repeat(100_000), 'png')).toBe(`${'x'.repeat(80)}.png`);
    expect(safeFileName('\ud83d'.repeat(10), 'png')).toMatch(/^[\w.]+$/);
    const long = await post('a note', 'x'.repeat(100_000));
    expect(long.status).toBe(400);
    const nul = await post('a note', 'a\0b.txt');
    expect([201, 400]).toContain(nul.status);
    if (nul.status === 201) expect(nul.view.name).not.toContain('\0');
    expect((await post('a note', 'still.txt')).status).toBe(201);
  });

  it('of more than 10 MiB, none, empty or several are refused', async () => {
    expect((await post(Buffer.alloc(10 * 1_024 * 1_024 + 1, 'a'), 'big.txt')).status).toBe(413);
    expect((await post(Buffer.alloc(10 * 1_024 * 1_024, 'a'), 'fits.txt')).status).toBe(201);
    expect(await post('', 'empty.txt')).toMatchObject({ status: 400, code: 'attachment.missing' });
    expect((await post('a', 'a.txt', tokens.anna, 'other')).status).toBe(400);
    const form = new FormData();
    form.append('file', new Blob(['a']), 'a.txt');
    form.append('file', new Blob(['b']), 'b.txt');
    const headers = { authorization: `Bearer ${tokens.anna}` };
    expect((await fetch(`${api.url}/api/attachments`, { method: 'POST', headers, body: form })).status).toBe(400);
  });

  it('are seen by the uploader alone until they are sent, then by both, and by nobody else', async () => {
    const { view } = await post('for ben', 'Notiz “heute”.txt');
    const seen = async (): Promise<number[]> =>
      Promise.all(
        (['anna', 'ben', 'cleo', 'chief'] as const).map(async (name) => (await fetchAs(tokens[name], view.id)).status),
      );
    expect(await seen()).toEqual([200, 404, 404, 404]);
    const message = { clientId: randomUUID(), attachmentIds: [view.id] };
    // What another uploaded cannot be sent.
    expect((await api.call('POST', `/api/messages/${ids.cleo}`, tokens.ben, message)).status).toBe(404);
    const sent = await api.call('POST', `/api/messages/${ids.ben}`, tokens.anna, message);
    expect(sent.body).toMatchObject({ body: '', attachments: [{ id: view.id, name: 'Notiz _heute_.txt', size: 7 }] });
    expect(await seen()).toEqual([200, 200, 404, 404]);
    // Nor can the same one be sent twice.
    const again = { clientId: randomUUID(), attachmentIds: [view.id] };
    expect((await api.call('POST', `/api/messages/${ids.cleo}`, tokens.anna, again)).status).toBe(404);
    const history = await api.call('GET', `/api/messages/${ids.anna}`, tokens.ben);
    expect(history.body['items']).toMatchObject([{ attachments: [{ id: view.id }] }]);
  });

  it('are served to be saved, never to be shown', async () => {
    const { view } = await post('a note', 'Übersicht.txt');
    const response = await fetchAs(tokens.anna, view.id);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'content-length': '6',
    });
    const disposition = response.headers.get('content-disposition') ?? '';
    expect(disposition).toMatch(/^attachment; filename="[\x20-\x7e]+"; filename\*=UTF-8''%C3%9Cbersicht\.txt$/);
    expect(await response.text()).toBe('a note');
  });

  it('that no message was sent with are removed after a day, bytes and all; those that were sent stay', async () => {
    const unsent = (await post('never sent', 'a.txt', tokens.cleo)).view;
    const sent = (await post('sent', 'b.txt', tokens.cleo)).view;
    await api.call('POST', `/api/messages/${ids.ben}`, tokens.cleo, {
      clientId: randomUUID(),
      attachmentIds: [sent.id],
    });
    const service = api.app.get(AttachmentsService, { strict: false });
    const store = api.app.get<EvidenceStore>(ATTACHMENT_STORE, { strict: false });
    await service.removeUnsent(Date.now() + DAY_MS - 60_000);
    expect((await fetchAs(tokens.cleo, unsent.id)).status).toBe(200);
    expect(await service.removeUnsent(Date.now() + DAY_MS + 60_000)).toBeGreaterThan(0);
    expect((await fetchAs(tokens.cleo, unsent.id)).status).toBe(404);
    expect(await store.read(`attachments/${unsent.id}`)).toBeNull();
    expect((await fetchAs(tokens.cleo, sent.id)).status).toBe(200);
  });

  it('wait for their message in bounded number', async () => {
    const token = await api.token(await api.user('hoarder', 'agent'));
    const answers = [];
    for (let count = 0; count < 51; count += 1) answers.push(await post('x', 'x.txt', token));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(50);
    expect(answers.at(-1)).toMatchObject({ status: 429, code: 'attachment.unsent.too_many' });
  });
});

describe('recognition by content', () => {
  it('takes no byte sequence for a picture that only names one', () => {
    expect(recogniseContent(Buffer.from('RIFF....AVI '))?.type).toBe('text/plain');
    expect(recogniseContent(Buffer.from([0xff, 0xff, 0xff, 0xff]))).toBeNull();
    expect(recogniseContent(Buffer.alloc(0))).toBeNull();
  });
});
