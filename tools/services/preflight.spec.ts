import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockInstance } from './instance-lock.js';
import { checkPort, freePort, prepareStateDirectory } from './preflight.js';

describe('before a start', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'vigil-preflight-'))));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('a busy port gets a sentence that names the port and the setting', async () => {
    const port = await freePort();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    await expect(checkPort('127.0.0.1', port, 'MAIN_APP_PORT')).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is in use: stop what uses it, or set MAIN_APP_PORT to another port.`,
    );
    await new Promise((resolve) => server.close(resolve));
    await expect(checkPort('127.0.0.1', port, 'MAIN_APP_PORT')).resolves.toBeUndefined();
  });

  it('a full disk and a place that cannot be written to get a sentence each', async () => {
    await expect(prepareStateDirectory(directory, async () => 1024 * 1024)).rejects.toThrow(
      /has 1 MB left.*free some space/,
    );
    writeFileSync(join(directory, 'file'), '');
    await expect(prepareStateDirectory(join(directory, 'file', 'state'))).rejects.toThrow(/Cannot write to/);
    await expect(prepareStateDirectory(join(directory, 'new'))).resolves.toBeUndefined();
  });

  it('the second instance is told who holds the folder and how to stop it', async () => {
    const lock = await lockInstance(directory, 'npm start');
    await expect(lockInstance(directory, 'npm run demo')).rejects.toThrow(
      new RegExp(`npm start, process ${process.pid}.*kill ${process.pid}`),
    );
    lock.release();
    (await lockInstance(directory, 'npm run demo')).release();
  });

  it('the lock of a process that is gone is void, also when its number is in use again', async () => {
    const path = join(directory, 'instance.lock');
    writeFileSync(path, JSON.stringify({ pid: process.ppid, identity: 'another boot', command: 'npm start' }));
    (await lockInstance(directory, 'npm start')).release();
    writeFileSync(path, 'half writt');
    (await lockInstance(directory, 'npm start')).release();
  });
});
