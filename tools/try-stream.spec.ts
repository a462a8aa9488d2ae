import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '#libs/config/environment.js';
import { ChatIrcServer } from '#libs/testing/chat-irc-server.js';
import { until } from '#libs/testing/chat-time.js';
import { itWithData } from '#libs/testing/test-data.js';
import { ClipDirectory } from '../apps/monitor/src/capture/clips.fixture.js';
import { findFfmpeg } from '../apps/monitor/src/capture/ffmpeg-binary.js';
import { writeTinyWhisper } from '../apps/monitor/src/detectors/whisper/tiny-whisper.fixture.js';

const tool = fileURLToPath(new URL('./try-stream.js', import.meta.url));

interface Run {
  child: ChildProcess;
  lines: () => Record<string, unknown>[];
  errors: () => string;
  ended: Promise<number | null>;
}

describe('try-stream', () => {
  let folder: string;
  let clips: ClipDirectory;
  let rules: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vigil-try-'));
    clips = await ClipDirectory.make(await findFfmpeg());
    rules = join(folder, 'rules.json');
    await writeFile(rules, JSON.stringify([{ id: 'money', pattern: 'crypto*', allow: ['cryptography'] }]));
  });
  afterAll(async () => {
    await clips.remove();
    await rm(folder, { recursive: true });
  });

  function start(args: readonly string[], changes: Record<string, string> = {}): Run {
    const env = childEnvironment({ MODELS_DIR: folder, MODEL_DOWNLOAD: 'false', ...changes });
    const child = spawn(process.execPath, [tool, ...args], { env, timeout: 90_000 });
    let [output, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const whole = (): string[] => output.split('\n').slice(0, -1);
    return { child, ended, errors: () => errors, lines: () => whole().map((line) => JSON.parse(line) as never) };
  }

  it('prints what is heard in a file with its place in stream time, and says what it cannot hear', async () => {
    const clip = join(clips.path, 'falls-silent.mkv');
    await clips.ffmpeg(
      ...['-f', 'lavfi', '-i', 'color=s=64x64:r=5:d=24', '-f', 'lavfi', '-i', 'sine=d=6,apad=whole_dur=24'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '5', '-c:a', 'pcm_s16le', clip],
    );
    const run = start([clip, '--parts', 'audio']);
    expect(await run.ended).toBe(0);
    const [line, ...others] = run.lines();
    expect(others).toEqual([]);
    expect(line).toMatchObject({ kind: 'audio', detector: 'sound', label: 'dead_air', confidence: 1, text: null });
    expect(line?.['startedAt']).toBeCloseTo(6, 0);
    expect(line?.['endedAt']).toBeCloseTo(24, -1);
    expect(run.errors()).toMatch(/model missing[^]*curl -fL/);
  }, 100_000);

  itWithData('prints the words that it finds in speech', ['speech/jfk.wav'], async (wav) => {
    const clip = join(clips.path, 'speech.mkv');
    await clips.ffmpeg(
      ...['-f', 'lavfi', '-i', 'color=s=64x64:r=5:d=11', '-i', wav],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '5', '-c:a', 'pcm_s16le', clip],
    );
    const model = await mkdtemp(join(folder, 'table-'));
    await writeTinyWhisper(model, 'send me crypto now');
    const run = start([clip, '--parts', 'audio', '--keywords', rules], { SPEECH_MODEL: model });
    expect(await run.ended).toBe(0);
    const [word] = run.lines().filter(({ label }) => label === 'money');
    expect(word).toMatchObject({ kind: 'audio', detector: 'phrases', endedAt: null });
    expect(word?.['text']).toContain('crypto');
    expect(word?.['startedAt']).toBeCloseTo(0.2, 0);
    expect(run.errors()).toContain('said: send me crypto now');
  });

  it('prints what is found in the chat of Twitch, alone and until it is told to stop', async () => {
    const irc = await ChatIrcServer.start();
    const args = ['https://www.twitch.tv/somebody', '--parts', 'chat', '--keywords', rules, '--twitch-irc', irc.url];
    const run = start(args, { EGRESS_ALLOW: irc.hosts.join(',') });
    try {
      await until('the join', () => irc.joins.length > 0, 60_000);
      irc.say({ id: 'a', user: 'ann', text: 'cryptography is dull' });
      irc.say({ id: 'b', user: 'bob', text: 'get free CRYPT0 here' });
      await until('the finding', () => run.lines().length > 0, 30_000);
      run.child.kill('SIGTERM');
      expect(await run.ended).toBe(0);
      expect(run.lines()).toMatchObject([
        { kind: 'chat', detector: 'phrases', label: 'money', endedAt: null, text: 'get free CRYPT0 here' },
      ]);
    } finally {
      run.child.kill('SIGKILL');
      await run.ended;
      await irc.stop();
    }
  }, 100_000);

  it.each([
    ['nothing', []],
    ['a part that there is not', ['--parts', 'video,smell', tool]],
    ['rules that are none', ['--keywords', tool, tool]],
    ['a channel without a platform', ['--chat', 'somebody', tool]],
    ['an unknown flag', ['--frobnicate', tool]],
  ])(
    'explains its use and ends with 2 when it is given %s',
    async (_, args) => {
      const run = start(args);
      expect(await run.ended).toBe(2);
      expect(run.lines()).toEqual([]);
      expect(run.errors()).toContain('usage:');
    },
    60_000,
  );
});
