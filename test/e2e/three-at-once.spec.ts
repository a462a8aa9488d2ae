import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChatIrcServer } from '#libs/testing/chat-irc-server.js';
import { testData } from '#libs/testing/test-data.js';
import { writeTinyWhisper } from '../../apps/monitor/src/detectors/whisper/tiny-whisper.fixture.js';
import type { components } from '../../clients/typescript/generated/rest.js';
import { SOUND_SECONDS, makeClip, makeSound, photoOfPeople } from './clips.js';
import { onAir, type FixtureOrigin } from './fixture-origin.js';
import { Vigil, eventually, must, type Ears, type Person } from './vigil.js';

type Session = components['schemas']['SessionReport'];
type Kind = components['schemas']['Modality'];

/** What the table of the little model spells whenever somebody speaks; it is no speech model. */
const SENTENCE = 'ask what you can do for your country';
/** A recording of somebody speaking, which is what the voice detector and the engine are woken by. */
const SPEECH = testData('speech/jfk.wav');

/**
 * One stream with picture, sound and chat, watched by one session. Real: Postgres, Redis, both apps as processes,
 * ffmpeg, the detector, the sound rules, the voice detector, the speech engine in its child, a WebSocket. Not real: the
 * world outside; and the speech model, which spells one sentence whatever is said. Without the recording of the test
 * data nobody speaks, and what is said is left out.
 */
describe('three at once', () => {
  let folder: string;
  let origin: FixtureOrigin;
  let chat: ChatIrcServer;
  let vigil: Vigil;
  let admin: Person;
  let ears: Ears;
  let streamId: string;
  let said = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vigil-three-'));
    await writeTinyWhisper(folder, SENTENCE);
    origin = await onAir(async (ffmpeg, directory) => {
      const sound = await makeSound(ffmpeg, join(directory, 'sound.wav'), SPEECH);
      const plan = { photo: photoOfPeople(), photoSeconds: 8, plainSeconds: SOUND_SECONDS - 8, sound };
      return makeClip(ffmpeg, join(directory, 'clip.mp4'), plan);
    });
    chat = await ChatIrcServer.start();
    vigil = await Vigil.start({
      allow: [origin.address, ...chat.hosts],
      env: { TWITCH_IRC_URL: chat.url, SPEECH_MODEL: folder },
    });
    admin = await vigil.admin();
    ears = await vigil.listen(admin);
    must(await admin.client.POST('/api/objects', { body: { label: 'person', threshold: 0.4, cooldownMs: 0 } }));
    await keyword('bait', 'free gift cards');
    await keyword('anthem', 'your country');
    const signal = { params: { path: { signal: 'loudness_jump' } }, body: { enabled: true, cooldownMs: 0 } };
    must(await admin.client.PATCH('/api/signals/{signal}', signal));
    const place = { platform: 'twitch', channel: 'room', options: {} };
    const body = { name: 'stage', platform: 'url', url: origin.url, chat: place };
    streamId = must(await admin.client.POST('/api/streams', { body })).id;
    await vigil.startMonitoring(admin, streamId);
  }, 90_000);

  afterAll(async () => {
    await (vigil as Vigil | undefined)?.stop();
    await (chat as ChatIrcServer | undefined)?.stop();
    await (origin as FixtureOrigin | undefined)?.end();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  async function keyword(label: string, pattern: string): Promise<void> {
    must(await admin.client.POST('/api/keywords', { body: { label, pattern, cooldownMs: 0 } }));
  }

  /** The session as the api tells of it; null before a monitor has told of it. */
  async function sessionToldOf(): Promise<Session | null> {
    const path = { id: streamId };
    return must(await admin.client.GET('/api/monitor/detection-status/{id}', { params: { path } })).session;
  }

  /** Waits until the session is as wished. */
  async function sessionWith(wish: (session: Session) => boolean, words: string, withinMs = 20_000): Promise<Session> {
    let last = 'no session is told of';
    return eventually(
      async () => {
        const now = await sessionToldOf();
        if (now === null) return null;
        last = JSON.stringify({ ...now.parts, frames: now.framesInspected, sound: now.sound, chat: now.chat });
        return wish(now) ? now : null;
      },
      withinMs,
      () => `${words}; last: ${last}`,
    );
  }

  const session = (): Promise<Session> => sessionWith(() => true, 'there is no session');

  /** Writes a line in the chat, again and again, until `label` was found in it anew. */
  async function writeUntilFound(text: string, label: string): Promise<void> {
    const found = (): number =>
      ears.detections.filter((event) => event.kind === 'chat' && event.label === label).length;
    const before = found();
    let tries = 0;
    await eventually(
      () => {
        if (tries++ % 5 === 0) write(text);
        return Promise.resolve(found() > before ? true : null);
      },
      20_000,
      () => `"${label}" was not found in the chat`,
    );
  }

  function write(text: string): void {
    said += 1;
    chat.say({ id: `line-${said}`, user: 'dealbot', text });
  }

  /** Pictures and sound that have been looked at and listened to. */
  const amount = ({ framesInspected, sound }: Session): { frames: number; heardMs: number } => ({
    frames: framesInspected,
    heardMs: sound?.heardMs ?? 0,
  });

  const isFurther = (now: Session, before: Session): boolean =>
    amount(now).frames > amount(before).frames + 2 && amount(now).heardMs > amount(before).heardMs + 2_000;

  it('sees, hears and reads one stream, tells of it over Socket.IO and keeps it', async () => {
    await sessionWith(({ parts }) => parts.chat.state === 'live', 'the chat was not joined');
    write('good evening');
    await writeUntilFound('last chance, fr33 g1ft c4rds here', 'bait');
    const of = (kind: Kind): Ears['detections'] => ears.detections.filter((event) => event.kind === kind);
    const heardAll = (): boolean =>
      of('video').length > 0 &&
      of('audio').some(({ label }) => label === 'loudness_jump') &&
      (SPEECH === null || of('audio').some(({ label }) => label === 'anthem'));
    await eventually(
      () => Promise.resolve(heardAll() ? true : null),
      45_000,
      () => `only these came: ${ears.detections.map(({ kind, label }) => `${kind} ${label}`).join(', ')}`,
    );
    expect(of('video')[0]).toMatchObject({ label: 'person', detector: 'yolo', quote: null });
    expect(of('video')[0]?.imageUrl).not.toBeNull();
    const jump = of('audio').find(({ label }) => label === 'loudness_jump');
    expect(jump).toMatchObject({
      detector: 'sound',
      ruleId: null,
      detail: expect.stringContaining('louder') as string,
    });
    expect(of('chat')[0]).toMatchObject({
      ...{ label: 'bait', detector: 'phrases', box: null, imageUrl: null },
      quote: { text: 'last chance, fr33 g1ft c4rds here', start: 13, end: 28, view: 'leet' },
      chat: { message: { username: 'dealbot' }, before: [{ text: 'good evening' }] },
    });
    if (SPEECH !== null) {
      const anthem = of('audio').find(({ label }) => label === 'anthem');
      expect(anthem?.quote?.text.slice(anthem.quote.start, anthem.quote.end)).toBe('your country');
      expect(ears.transcripts[0]).toMatchObject({ streamId, text: SENTENCE, engine: 'sherpa' });
    }
    const { items } = must(await admin.client.GET('/api/detections', { params: { query: { streamId, limit: 200 } } }));
    expect(items.map(({ id }) => id)).toEqual(expect.arrayContaining(ears.detections.map(({ id }) => id)));
  }, 90_000);

  it('goes on reading when ffmpeg is killed, and sees and hears again in the same session', async () => {
    const before = await session();
    const [pid] = await vigil.ffmpegs();
    process.kill(pid ?? NaN, 'SIGKILL');
    await writeUntilFound('free gift cards, one', 'bait');
    const after = await sessionWith((now) => isFurther(now, before), 'picture or sound did not come back');
    expect(after).toMatchObject({
      session: before.session,
      parts: { video: { state: 'live' }, audio: { state: 'live' } },
    });
    expect(after.restarts).toBeGreaterThan(before.restarts);
    expect(after.chat?.reconnects).toBe(before.chat?.reconnects);
    expect(await vigil.ffmpegs()).not.toContain(pid);
  }, 60_000);

  it('goes on seeing and hearing when the chat is cut off, says so of the chat alone, and joins again', async () => {
    const before = await session();
    chat.deaf = true;
    chat.server.sever();
    const cut = await sessionWith(({ parts }) => parts.chat.state !== 'live', 'the chat was not missed');
    expect(cut.parts).toMatchObject({ video: { state: 'live' }, audio: { state: 'live' } });
    expect(cut.parts.chat.detail).not.toBe('');
    await sessionWith((now) => isFurther(now, cut), 'picture or sound stopped with the chat');
    chat.deaf = false;
    chat.server.sever();
    await sessionWith(({ parts }) => parts.chat.state === 'live', 'the chat was not joined again', 40_000);
    await writeUntilFound('free gift cards, two', 'bait');
    expect((await session()).session).toBe(before.session);
  }, 90_000);

  it('goes on with all else when the speech engine is killed, and hears words again', async () => {
    if (SPEECH === null) return void process.stderr.write('left out, test data missing: nobody speaks\n');
    const before = await session();
    const segments = ears.transcripts.length;
    const [pid] = await vigil.speechEngines();
    process.kill(pid ?? NaN, 'SIGKILL');
    await writeUntilFound('free gift cards, three', 'bait');
    await eventually(
      () => Promise.resolve(ears.transcripts.length > segments ? true : null),
      40_000,
      () => 'nothing was written down after the speech engine was killed',
    );
    expect(await vigil.speechEngines()).not.toContain(pid);
    const after = await sessionWith((now) => isFurther(now, before), 'picture or sound stopped');
    expect(after).toMatchObject({
      session: before.session,
      restarts: before.restarts,
      parts: { speech: { state: 'live' } },
    });
  }, 60_000);

  it('finds by a keyword that is made while it runs, without a new capture', async () => {
    const before = await session();
    const [pid] = await vigil.ffmpegs();
    const madeAt = Date.now();
    await keyword('newcomer', 'purple elephant');
    await writeUntilFound('look, a purple elephant', 'newcomer');
    process.stderr.write(`found ${Date.now() - madeAt} ms after the keyword was made\n`);
    expect(await session()).toMatchObject({ session: before.session, generation: before.generation });
    expect(await vigil.ffmpegs()).toEqual([pid]);
  }, 60_000);
});
