import {
  appendFile,
  copyFile,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DetectionClosed } from '#libs/contracts/facts.js';
import { Spool, type SpoolOptions } from './spool.js';

const STREAM = '4be0643f-1d98-473b-97cd-ca98a65347dd';

function fact(frames: number): DetectionClosed {
  return {
    type: 'detection.closed',
    eventId: STREAM,
    streamId: STREAM,
    session: 1,
    endedAt: 1_700_000_000_000,
    frames,
    peakConfidence: 0.5,
  };
}

describe('Spool', () => {
  let directory: string;
  const opened: Spool[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vigil-spool-'));
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((spool) => spool.close().catch(() => undefined)));
    await rm(directory, { recursive: true, force: true });
  });

  async function openSpool(options: Partial<SpoolOptions> = {}): Promise<Spool> {
    const spool = await Spool.open({ directory, maxBytes: 10_000_000, ...options });
    opened.push(spool);
    return spool;
  }

  async function fill(spool: Spool, count: number): Promise<number[]> {
    return Promise.all(Array.from({ length: count }, (_, index) => spool.append(fact(index + 1))));
  }

  async function seqs(spool: Spool, from = 1): Promise<number[]> {
    const found: number[] = [];
    for (let next = from; ;) {
      const records = await spool.read(next, 100, 1_000_000);
      if (records.length === 0) return found;
      found.push(...records.map(({ seq }) => seq));
      next = (records.at(-1)?.seq ?? 0) + 1;
    }
  }

  async function segmentFiles(): Promise<string[]> {
    return (await readdir(directory))
      .filter((name) => name.endsWith('.facts'))
      .sort()
      .map((name) => join(directory, name));
  }

  const upTo = (last: number, from = 1): number[] => Array.from({ length: last - from + 1 }, (_, i) => from + i);

  it('numbers what it keeps 1, 2, 3 and gives it back in order, from any number on', async () => {
    const spool = await openSpool({ segmentBytes: 2_000 });
    expect(await fill(spool, 250)).toEqual(upTo(250));
    expect((await segmentFiles()).length).toBeGreaterThan(5);
    expect(await seqs(spool)).toEqual(upTo(250));
    expect(await seqs(spool, 137)).toEqual(upTo(250, 137));
    const [record] = await spool.read(42, 1, 1);
    expect(JSON.parse(record?.json ?? '')).toEqual(fact(42));
  });

  it('is the same spool after a restart and goes on numbering', async () => {
    const first = await openSpool();
    await fill(first, 3);
    await first.close();
    const second = await openSpool();
    expect(second.id).toBe(first.id);
    expect(await second.append(fact(9))).toBe(4);
    expect(await seqs(second)).toEqual([1, 2, 3, 4]);
  });

  it('shares one sync among all who wait', async () => {
    const spool = await openSpool();
    await fill(spool, 1_000);
    expect(spool.stats.appended).toBe(1_000);
    expect(spool.stats.syncs).toBeLessThan(20);
  });

  it('keeps every record that was resolved when it is cut at any byte of the last one, and counts the cut', async () => {
    const spool = await openSpool();
    await fill(spool, 3);
    const [path = ''] = await segmentFiles();
    const whole = await readFile(path);
    const lastStart = whole.lastIndexOf(0x0a, whole.length - 2) + 1;
    for (let length = lastStart; length <= whole.length; length += 1) {
      const copy = await mkdtemp(join(tmpdir(), 'vigil-spool-'));
      await copyFile(join(directory, 'spool.json'), join(copy, 'spool.json'));
      await writeFile(join(copy, path.split('/').at(-1) ?? ''), whole.subarray(0, length));
      const killed = await Spool.open({ directory: copy, maxBytes: 1_000_000 });
      const complete = length === whole.length;
      expect({ length, seqs: await seqs(killed) }).toEqual({ length, seqs: complete ? [1, 2, 3] : [1, 2] });
      expect(killed.stats.torn).toBe(complete || length === lastStart ? 0 : 1);
      expect(await killed.append(fact(7))).toBe(complete ? 4 : 3);
      expect((await seqs(killed)).length).toBe(complete ? 4 : 3);
      await killed.close();
      await rm(copy, { recursive: true });
    }
  });

  it('skips a damaged line in the middle, counts it, and lifts the floor over it once it is next', async () => {
    const first = await openSpool();
    await fill(first, 5);
    await first.close();
    const [path = ''] = await segmentFiles();
    const lines = (await readFile(path, 'utf8')).split('\n');
    lines[1] = (lines[1] ?? '').replace('"frames":2', '"frames":8');
    await writeFile(path, lines.join('\n'));
    const spool = await openSpool();
    expect(spool.stats).toMatchObject({ corrupt: 1, torn: 0 });
    expect(await seqs(spool)).toEqual([1, 3, 4, 5]);
    expect(spool.floor).toBe(1);
    spool.committed(1);
    expect((await spool.read(2, 10, 10_000)).map(({ seq }) => seq)).toEqual([3, 4, 5]);
    expect(spool.floor).toBe(3);
  });

  it('does not use a number again whose complete line was damaged at the very end', async () => {
    const first = await openSpool();
    await fill(first, 2);
    await first.close();
    const [path = ''] = await segmentFiles();
    await appendFile(path, '00000000 3 0 {"type":"x"}\n');
    await rm(join(directory, 'cursor.json'));
    const spool = await openSpool();
    expect(await spool.append(fact(1))).toBe(4);
    expect(await seqs(spool)).toEqual([1, 2, 4]);
  });

  it('deletes whole segments up to the watermark and remembers it', async () => {
    const spool = await openSpool({ segmentBytes: 2_000 });
    await fill(spool, 250);
    const before = (await segmentFiles()).length;
    spool.committed(125);
    spool.committed(100);
    spool.committed(99_999);
    await spool.close();
    expect(spool.watermark).toBe(125);
    expect((await segmentFiles()).length).toBeLessThan(before);
    const again = await openSpool();
    expect(again.stats.pending).toBe(125);
    expect(again.floor).toBe(126);
    expect(await seqs(again, again.floor)).toEqual(upTo(250, 126));
    again.committed(250);
    await again.close();
    expect(await (await openSpool()).append(fact(1))).toBe(251);
  });

  it('sheds the oldest segments beyond its cap and counts their records', async () => {
    const spool = await openSpool({ maxBytes: 20_000, segmentBytes: 2_000 });
    for (let round = 0; round < 100; round += 1) await fill(spool, 10);
    const { bytes, shedRecords, pending } = spool.stats;
    expect(bytes).toBeLessThanOrEqual(20_000);
    expect(shedRecords).toBeGreaterThan(0);
    expect(shedRecords + pending).toBe(1_000);
    expect(await seqs(spool)).toEqual(upTo(1_000, spool.floor));
    expect(spool.floor).toBe(shedRecords + 1);
  });

  it('asks for images to be left out before it sheds records, counting images that wait', async () => {
    const spool = await openSpool({ maxBytes: 100_000 });
    await spool.append(fact(1), 70_000);
    expect(spool.pressure().shedFrames).toBe(false);
    await spool.append(fact(2), 15_000);
    expect(spool.pressure()).toMatchObject({ shedFrames: true });
    spool.frameShed();
    expect(spool.stats).toMatchObject({ shedFrames: 1, shedRecords: 0 });
    spool.committed(2);
    expect(spool.pressure().shedFrames).toBe(false);
  });

  it('refuses with a typed error while the disk is full, and goes on without a gap afterwards', async () => {
    let full = false;
    const openFile = async (path: string): Promise<FileHandle> => {
      const file = await open(path, 'a').then(async (made) => (await made.close(), open(path, 'r+')));
      const write = file.write.bind(file) as (...args: unknown[]) => Promise<{ bytesWritten: number }>;
      // Half of it fits, as on a real disk; then there is no room left.
      const partly = async (buffer: Buffer, from: number, length: number, at: number): Promise<unknown> => {
        if (!full) return write(buffer, from, length, at);
        await write(buffer, from, Math.floor(length / 2), at);
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      };
      return Object.assign(file, { write: partly });
    };
    const spool = await openSpool({ openFile });
    await fill(spool, 2);
    full = true;
    await expect(spool.append(fact(3))).rejects.toMatchObject({ code: 'spool.full', kind: 'operational' });
    expect(spool.stats.refused).toBe(1);
    await spool.close();
    const again = await openSpool({ openFile });
    expect(again.stats).toMatchObject({ corrupt: 0, torn: 0 });
    await expect(again.append(fact(3))).rejects.toMatchObject({ code: 'spool.full' });
    full = false;
    expect(await again.append(fact(4))).toBe(3);
    expect(await seqs(again)).toEqual([1, 2, 3]);
  });

  it('is not shared with another process that is alive', async () => {
    await writeFile(
      join(directory, 'owner.json'),
      JSON.stringify({ pid: process.ppid, host: (await import('node:os')).hostname() }),
    );
    await expect(openSpool()).rejects.toMatchObject({ code: 'spool.in_use' });
  });

  it('says what is wrong with a directory that cannot be used', async () => {
    await expect(openSpool({ directory: '/dev/null/spool' })).rejects.toMatchObject({ code: 'spool.unusable' });
  });

  it('takes no more after it was closed', async () => {
    const spool = await openSpool();
    const last = spool.append(fact(1));
    await spool.close();
    expect(await last).toBe(1);
    await expect(spool.append(fact(2))).rejects.toMatchObject({ code: 'spool.closed' });
  });
});
