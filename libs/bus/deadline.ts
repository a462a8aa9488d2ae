import { AppError } from '#libs/errors/app-error.js';

/**
 * Waits for an answer of Redis for at most `ms`.
 * @throws AppError `redis.unavailable` when it does not come in time; the work itself is not undone.
 */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new AppError('redis.unavailable', 'operational', 'Redis does not answer: try again soon.'));
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
