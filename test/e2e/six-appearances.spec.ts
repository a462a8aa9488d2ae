import { itWithData } from '#libs/testing/test-data.js';
import { onAir } from './fixture-origin.js';
import { Vigil, eventually, must } from './vigil.js';

/** When the clip shows a person, s of the clip, as looked at twice a second. */
const APPEARANCES = [
  [6.5, 18.5],
  [23, 44],
  [50.5, 69],
  [74.5, 86],
  [93, 119],
  [123.5, 135.5],
] as const;
/** How far a figure may be off, s. */
const TOLERANCE = 2;

/** Real: Postgres, Redis, both apps, ffmpeg, the model, and a real clip played as a live stream in real time. */
describe('a clip with six appearances of a person, live', () => {
  itWithData(
    'gives six events at their times and one notification for each event and recipient',
    ['video/one-by-one-person-detection.mp4', 'models/yolox_nano.onnx'],
    async (clip) => {
      const origin = await onAir(() => Promise.resolve(clip));
      const vigil = await Vigil.start({ allow: [origin.address] });
      try {
        const admin = await vigil.admin();
        const agent = await vigil.agent(admin, 'alice');
        for (const label of ['person', 'frisbee', 'dog', 'tvmonitor']) {
          const body = { label, threshold: 0.45, severity: 'medium' as const, cooldownMs: 0 };
          must(await admin.client.POST('/api/objects', { body }));
        }
        const streamId = await vigil.stream(admin, 'one by one', origin.url);
        must(await admin.client.POST('/api/assignments', { body: { agentId: agent.id, streamId } }));
        await vigil.startMonitoring(admin, streamId);
        const closed = async (): Promise<{ label: string; startedAt: number; endedAt: number }[] | null> => {
          const query = { streamId, limit: 200 };
          const { items } = must(await admin.client.GET('/api/detections', { params: { query } }));
          const over = items.filter(({ endedAt }) => endedAt !== null);
          if (over.length < APPEARANCES.length) return null;
          return items
            .map(({ label, startedAt, endedAt }) => ({
              label,
              startedAt: Date.parse(startedAt),
              endedAt: Date.parse(endedAt ?? ''),
            }))
            .sort((a, b) => a.startedAt - b.startedAt);
        };
        const events = await eventually(closed, 200_000, () => 'there were not six events');
        expect(events.map(({ label }) => label)).toEqual(APPEARANCES.map(() => 'person'));

        // Frames arrive some seconds after they were on air; the delay is the same for all, so the first event tells it.
        const zero = (events[0]?.startedAt ?? 0) - APPEARANCES[0][0] * 1000;
        const offsets = events.flatMap(({ startedAt, endedAt }, index) => {
          const [start, end] = APPEARANCES[index] ?? [0, 0];
          return [(startedAt - zero) / 1000 - start, (endedAt - zero) / 1000 - end];
        });
        const middle = (Math.min(...offsets) + Math.max(...offsets)) / 2;
        process.stderr.write(
          `six appearances, offsets in s: ${offsets.map((o) => (o - middle).toFixed(1)).join(' ')}\n`,
        );
        for (const offset of offsets) expect(Math.abs(offset - middle)).toBeLessThanOrEqual(TOLERANCE);

        for (const person of [admin, agent]) {
          const { items } = must(await person.client.GET('/api/notifications', { params: { query: { limit: 200 } } }));
          const ids = items.map(({ detectionId }) => detectionId);
          expect(ids).toHaveLength(APPEARANCES.length);
          expect(new Set(ids).size).toBe(APPEARANCES.length);
        }
      } finally {
        await vigil.stop();
        await origin.end();
      }
    },
    260_000,
  );
});
