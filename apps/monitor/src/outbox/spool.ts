import { mkdir, open, readdir, type FileHandle } from 'node:fs/promises';
import type { Fact } from '#libs/contracts/facts.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { GroupCommit, type Waiting } from './group-commit.js';
import { encodeRecord, MOST_LINE_BYTES, type SpoolRecord } from './spool-record.js';
import { SpoolSegment } from './spool-segment.js';
import { SpoolState, syncDirectory } from './spool-state.js';

/** Appends that may wait for the disk at once. */
const MOST_WAITING = 20_000;
/** Bytes written with one fsync at most. */
const MOST_GROUP_BYTES = 4 * 1024 * 1024;
/** Part of the cap beyond which images are shed. */
const FRAME_SHED_RATIO = 0.8;

export interface SpoolOptions {
  directory: string;
  /** Cap of all segments together, bytes. */
  maxBytes: number;
  /** A segment is closed at this size; 4 MB, or an eighth of a small cap, when unset. */
  segmentBytes?: number;
  /** Opens a segment for writing; a test may put a full disk here. */
  openFile?: (path: string) => Promise<FileHandle>;
}

/** What happened so far, for the heartbeat. */
export interface SpoolStats {
  /** Records that are not committed yet. */
  pending: number;
  bytes: number;
  /** Images that were left out to save room. */
  shedFrames: number;
  /** Records that were given up, oldest first, because the cap was reached. */
  shedRecords: number;
  /** Appends that the disk refused. */
  refused: number;
  /** Damaged lines that were skipped. */
  corrupt: number;
  /** Half-written tails that were cut off at a start. */
  torn: number;
  appended: number;
  /** Disk syncs; `appended / syncs` is the size of a group. */
  syncs: number;
}

/**
 * Facts on the disk until the api has committed them: append-only segments of checked lines, numbered 1, 2, 3 …
 * An append resolves once its record is synced; appends that wait together share one sync. A kill loses nothing that
 * was resolved. Beyond the cap the oldest segments are shed, and counted.
 */
export class Spool {
  private readonly counters = { shedFrames: 0, shedRecords: 0, refused: 0, corrupt: 0, torn: 0, appended: 0, syncs: 0 };
  private readonly listeners = new Set<() => void>();
  private segments: SpoolSegment[] = [];
  private file: FileHandle | null = null;
  private readonly groups: GroupCommit;
  private saving: Promise<void> = Promise.resolve();
  private saveQueued = false;
  private committedSeq = 0;
  private nextSeq = 1;
  private lowest = 1;
  /** Where the reader left off. */
  private place = { seq: 0, first: 0, offset: 0 };
  private closed = false;

  private constructor(
    /** The spool's name for ever. */
    readonly id: string,
    private readonly state: SpoolState,
    private readonly options: Required<SpoolOptions>,
  ) {
    this.groups = new GroupCommit(
      (group) => this.write(group),
      (error, count) => {
        this.counters.refused += count;
        return diskFault(error, options.directory);
      },
      Math.min(MOST_GROUP_BYTES, options.segmentBytes),
    );
  }

  /**
   * Opens a spool, making its directory when it is missing, and recovers what an earlier process left.
   * @throws AppError `spool.unusable`, `spool.in_use`
   */
  static async open(options: SpoolOptions): Promise<Spool> {
    const { directory, maxBytes } = options;
    try {
      await mkdir(directory, { recursive: true, mode: 0o750 });
      const state = new SpoolState(directory);
      await state.acquire();
      const spool = new Spool(await state.identity(), state, {
        segmentBytes: Math.min(4 * 1024 * 1024, Math.ceil(maxBytes / 8)),
        openFile: (path) => open(path, 'a+', 0o640).then(async (file) => (await file.close(), open(path, 'r+'))),
        ...options,
      });
      await spool.recover();
      return spool;
    } catch (error) {
      if (error instanceof AppError) throw error;
      const message = `The spool ${directory} cannot be used: ${messageOf(error)}. Check SPOOL_DIR and the disk.`;
      throw new AppError('spool.unusable', 'operational', message, {}, { cause: error });
    }
  }

  /** Highest number that is safely on the disk. */
  get last(): number {
    return this.nextSeq - 1;
  }

  /** Everything up to here is committed by the api. */
  get watermark(): number {
    return this.committedSeq;
  }

  /** Lowest number still held and not committed; whatever is below was committed, shed or lost. */
  get floor(): number {
    return Math.max(this.lowest, this.committedSeq + 1);
  }

  get stats(): SpoolStats {
    return { ...this.counters, pending: Math.max(0, this.nextSeq - this.floor), bytes: this.bytes };
  }

  /**
   * How full it is, 0 to 1 and beyond, images of waiting facts included. With `shedFrames` the caller writes its
   * facts without image, and says so by {@link frameShed}: a record without image is better than none.
   */
  pressure(): { ratio: number; shedFrames: boolean } {
    const images = this.segments.reduce(
      (sum, { last, evidenceBytes }) => sum + (last > this.committedSeq ? evidenceBytes : 0),
      0,
    );
    const ratio = (this.bytes + images) / this.options.maxBytes;
    return { ratio, shedFrames: ratio > FRAME_SHED_RATIO };
  }

  /** Counts an image that was left out. */
  frameShed(): void {
    this.counters.shedFrames += 1;
  }

  /**
   * Keeps a fact. `evidenceBytes` is the size of the image stored for it, which counts as pressure.
   * @returns its sequence number, once it is synced.
   * @throws AppError `spool.full` (no room on the disk, or too many waiting), `spool.unusable`, `spool.closed`,
   * `spool.too_large`
   */
  append(fact: Fact, evidenceBytes = 0): Promise<number> {
    const json = JSON.stringify(fact);
    const fault = this.obstacle(json);
    if (fault !== null) {
      this.counters.refused += 1;
      return Promise.reject(fault);
    }
    return this.groups.add(json, evidenceBytes);
  }

  /** Reads records from `fromSeq` on, in order; empty at the end. At least one however large, then up to `maxBytes`. */
  async read(fromSeq: number, maxRecords: number, maxBytes: number): Promise<SpoolRecord[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const records = await this.readOnce(Math.max(fromSeq, this.floor), maxRecords, maxBytes);
        const first = records[0]?.seq;
        // Numbers between the watermark and the first record that is there will never come.
        if (first !== undefined && fromSeq <= this.floor) this.lowest = Math.max(this.lowest, first);
        return records;
      } catch (error) {
        // A segment may be shed or cleared while it is read.
        if (attempt === 3) throw error;
      }
    }
  }

  /**
   * The api has committed everything up to `seq`: whole segments below go. Numbers that are not ours yet, or are
   * behind, change nothing.
   */
  committed(seq: number): void {
    if (seq <= this.committedSeq || seq > this.last) return;
    this.committedSeq = seq;
    this.save();
  }

  /** Calls back whenever more is on the disk. @returns a function that takes the listener away. */
  onAppended(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Waits for what is being written, and gives the directory back. */
  async close(): Promise<void> {
    this.closed = true;
    await this.groups.settled();
    await this.saving;
    await this.state.saveCursor(this.committedSeq, this.nextSeq, true).catch(() => undefined);
    await this.file?.close();
    this.file = null;
    await this.state.release();
  }

  private get bytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  private obstacle(json: string): AppError | null {
    if (this.closed) return new AppError('spool.closed', 'operational', 'The monitor is stopping.');
    if (json.length * 3 + 64 > MOST_LINE_BYTES && Buffer.byteLength(json) + 64 > MOST_LINE_BYTES) {
      return new AppError('spool.too_large', 'unexpected', 'A fact is larger than the spool takes.');
    }
    if (this.groups.size >= MOST_WAITING) {
      return new AppError('spool.full', 'operational', 'The disk is too slow: too many facts wait for it.');
    }
    return null;
  }

  /** Writes a group with one sync. @returns its first sequence number */
  private async write(group: readonly Waiting[]): Promise<number> {
    const first = this.nextSeq;
    const records = group.map(({ json, evidenceBytes }, index) => ({ seq: first + index, json, evidenceBytes }));
    const content = Buffer.from(records.map(encodeRecord).join(''));
    let active = this.segments.at(-1);
    if (active === undefined || (active.bytes > 0 && active.bytes + content.length > this.options.segmentBytes)) {
      active = await this.rotate();
    }
    await this.makeRoom(content.length);
    this.file ??= await this.options.openFile(active.path);
    try {
      for (let done = 0; done < content.length;) {
        done += (await this.file.write(content, done, content.length - done, active.bytes + done)).bytesWritten;
      }
      await this.file.datasync();
    } catch (error) {
      // What was half written must not be found after a restart as if it had been kept.
      await this.file.truncate(active.bytes).catch(() => undefined);
      throw error;
    }
    this.counters.syncs += 1;
    this.counters.appended += records.length;
    active.bytes += content.length;
    for (const record of records) active.note(record);
    this.nextSeq = first + records.length;
    for (const listener of this.listeners) listener();
    return first;
  }

  private async rotate(): Promise<SpoolSegment> {
    const segment = SpoolSegment.at(this.options.directory, this.nextSeq);
    const file = await this.options.openFile(segment.path);
    await syncDirectory(this.options.directory);
    await this.file?.close();
    this.file = file;
    this.segments.push(segment);
    return segment;
  }

  private async makeRoom(bytes: number): Promise<void> {
    while (this.segments.length > 1 && this.bytes + bytes > this.options.maxBytes) {
      const oldest = this.segments.shift();
      if (oldest === undefined) return;
      this.counters.shedRecords += Math.min(oldest.records, Math.max(0, oldest.last - this.committedSeq));
      this.lowest = Math.max(this.lowest, oldest.last + 1);
      await oldest.remove();
    }
  }

  private async readOnce(fromSeq: number, maxRecords: number, maxBytes: number): Promise<SpoolRecord[]> {
    const segment = this.segments.find(({ last }) => last >= fromSeq);
    if (segment === undefined) return [];
    const { place } = this;
    const offset = place.seq === fromSeq && place.first === segment.first ? place.offset : 0;
    const found = await segment.read(fromSeq, offset, maxRecords, maxBytes);
    const last = found.records.at(-1);
    if (last !== undefined) this.place = { seq: last.seq + 1, first: segment.first, offset: found.offset };
    return found.records;
  }

  /** Writes the cursor and deletes what lies below it; calls that come meanwhile are served by one more round. */
  private save(): void {
    if (this.saveQueued) return;
    this.saveQueued = true;
    this.saving = this.saving.then(async () => {
      this.saveQueued = false;
      const active = this.segments.at(-1);
      const done = this.segments.filter((segment) => segment !== active && segment.last <= this.committedSeq);
      try {
        await this.state.saveCursor(this.committedSeq, this.nextSeq, done.length > 0);
        this.segments = this.segments.filter((segment) => !done.includes(segment));
        for (const segment of done) await segment.remove();
      } catch {
        // A full disk: the cursor on it lags, which costs doubles after a restart that the api absorbs.
      }
    });
  }

  private async recover(): Promise<void> {
    const firsts = (await readdir(this.options.directory))
      .map((name) => SpoolSegment.firstOf(name))
      .filter((first) => first !== null)
      .sort((a, b) => a - b);
    const cursor = await this.state.cursor();
    let next = cursor.next;
    for (const [index, first] of firsts.entries()) {
      const found = await SpoolSegment.recover(this.options.directory, first, index === firsts.length - 1);
      this.counters.corrupt += found.corrupt + found.lost;
      this.counters.torn += found.torn ? 1 : 0;
      this.segments.push(found.segment);
      next = Math.max(next, found.segment.last + found.lost + 1);
    }
    this.nextSeq = next;
    this.committedSeq = Math.min(cursor.committed, next - 1);
    this.lowest = firsts[0] ?? next;
    const active = this.segments.at(-1);
    if (active !== undefined) this.file = await this.options.openFile(active.path);
  }
}

function diskFault(error: unknown, directory: string): AppError {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const message = `There is no room left for the spool ${directory}: free some or move SPOOL_DIR.`;
    return new AppError('spool.full', 'operational', message, {}, { cause: error });
  }
  const message = `The spool ${directory} cannot be written: ${messageOf(error)}`;
  return new AppError('spool.unusable', 'operational', message, {}, { cause: error });
}
