import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const MAX_BYTES = 10 * 1024 * 1024;

/** A log on disk that keeps at most two pieces of 10 MB: the file and its forerunner `<file>.1`. */
export class LogFile {
  private file: number | null = null;
  private size = 0;

  constructor(readonly path: string) {}

  /** Appends one line. A log that cannot be written does not stop what is logged. */
  write(line: string): void {
    try {
      if (this.file === null) this.open();
      if (this.size > MAX_BYTES) {
        this.close();
        renameSync(this.path, `${this.path}.1`);
        this.open();
      }
      if (this.file !== null) this.size += writeSync(this.file, `${line}\n`);
    } catch {
      this.close();
    }
  }

  close(): void {
    if (this.file !== null) closeSync(this.file);
    this.file = null;
  }

  private open(): void {
    mkdirSync(dirname(this.path), { recursive: true });
    this.file = openSync(this.path, 'a', 0o600);
    this.size = statSync(this.path).size;
  }
}
