import { AppError, messageOf } from '#libs/errors/app-error.js';
import { guard } from './guard.js';
import { ProcessGroup } from './process-group.js';

/** Time after the first request to stop at which another one ends everything at once. */
const FORCE_AFTER_MS = 3_000;

/** What a command gets to work with. */
export interface CommandContext {
  group: ProcessGroup;
  /** Aborted when someone asks the command to stop, or a part of the group has failed for good. */
  signal: AbortSignal;
  /** Says something to the person, on stderr. */
  say: (text: string) => void;
}

/**
 * Runs a command that owns processes, and ends this process: with the command's exit code, or 1 after an error, and in
 * any case after the group has stopped. Ctrl-C, SIGTERM, SIGHUP and the end of the launcher ask it to stop; they often
 * come several at once (terminal, npm, launcher), so repeated ones count only after three seconds, and then force it.
 */
export async function runCommand(main: (context: CommandContext) => Promise<number>): Promise<never> {
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const group = new ProcessGroup(say);
  const stop = new AbortController();
  let stoppedAt = 0;
  const ask = (reason: string): void => {
    if (!stop.signal.aborted) {
      stoppedAt = Date.now();
      stop.abort(new AppError('command.stopped', 'user', `stopped by ${reason}`));
      return;
    }
    if (Date.now() - stoppedAt < FORCE_AFTER_MS) return;
    say('Ending everything at once.');
    guard.killAll();
    process.exit(1);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ask(signal));
  process.once('disconnect', () => ask('the end of the launcher'));
  process.channel?.unref();
  group.failed.addEventListener('abort', () => stop.abort(group.failed.reason));
  const crash = (error: unknown): void => {
    say(`Unexpected error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    void group.stop().finally(() => process.exit(1));
  };
  process.on('uncaughtException', crash).on('unhandledRejection', crash);

  let code: number;
  try {
    code = await main({ group, signal: stop.signal, say });
  } catch (error) {
    code = 1;
    if (!stop.signal.aborted || group.failed.aborted) {
      const known = error instanceof AppError;
      say(known || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message));
    }
  }
  await group.stop();
  process.exit(code);
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
