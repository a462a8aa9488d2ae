import { readFile } from 'node:fs/promises';
import { groupPhoto } from '../../apps/monitor/src/detectors/photo-frame.fixture.js';
import { eventually, must, Vigil, type Person } from './vigil.js';

/** People on the photograph. */
const PEOPLE = 3;

describe('files, sent with the typed client', () => {
  let vigil: Vigil;
  let admin: Person;

  beforeAll(async () => {
    vigil = await Vigil.start({ allow: [] });
    admin = await vigil.admin();
  }, 90_000);
  afterAll(() => vigil.stop());

  it('are looked at by the monitor, nothing being kept', async () => {
    const image = new Blob([new Uint8Array(await readFile(groupPhoto))]);
    const ask = () => admin.client.POST('/api/detect', { body: { image, text: 'good evening', minConfidence: 0.4 } });
    const found = must(await ask());
    const people = found.objects.filter(({ label }) => label === 'person');
    expect(people).toHaveLength(PEOPLE);
    const { width = 0, height = 0 } = found.image ?? {};
    for (const { box, detector, confidence } of people) {
      expect(detector).toBe('yolo');
      expect(confidence).toBeGreaterThanOrEqual(0.4);
      const [left = -1, top = -1, right = Infinity, bottom = Infinity] = box;
      expect([left >= 0, top >= 0, right <= width, bottom <= height]).toEqual([true, true, true, true]);
      // A person fills a good part of the picture's height: boxes are in its own pixels, not in those that were sent on.
      expect(bottom - top).toBeGreaterThan(height / 4);
    }
    expect(must(await admin.client.GET('/api/detections', {})).items).toEqual([]);
    await vigil.monitor.stop();
    const { response, error } = await ask();
    expect([response.status, error?.code]).toEqual([503, 'detect.image.unavailable']);
  }, 60_000);

  it('are attached to messages', async () => {
    const anna = await vigil.agent(admin, 'anna');
    const file = new File(['A note for the night shift.'], 'note.txt');
    const attachment = must(await admin.client.POST('/api/attachments', { body: { file } }));
    expect(attachment).toMatchObject({ name: 'note.txt', contentType: 'text/plain', size: file.size });
    const path = { id: attachment.id };
    const answer = await admin.client.GET('/api/attachments/{id}', { params: { path }, parseAs: 'blob' });
    expect(await must(answer).text()).toBe('A note for the night shift.');
    const others = await anna.client.GET('/api/attachments/{id}', { params: { path }, parseAs: 'blob' });
    expect(others.response.status).toBe(404);
  }, 30_000);

  it('are read as tables of streams', async () => {
    const answer = await admin.client.POST('/api/streams/import', {
      body: 'name,url\nMain stage,https://example.com/live/index.m3u8\nSide door,nonsense\n',
      headers: { 'Content-Type': 'text/csv' },
    });
    const { id } = must(answer);
    const job = await eventually(
      async () => {
        const one = must(await admin.client.GET('/api/streams/jobs/{id}', { params: { path: { id } } }));
        return one.state === 'running' ? null : one;
      },
      20_000,
      () => 'the import did not end',
    );
    expect([job.state, job.total, job.results.length]).toEqual(['done', 2, 2]);
  }, 30_000);
});
