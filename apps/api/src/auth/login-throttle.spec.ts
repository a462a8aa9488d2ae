import { AppError } from '#libs/errors/app-error.js';
import { LocalAttempts, LoginThrottle } from './login-throttle.js';

const away = {
  increment: () => Promise.reject(new AppError('redis.unavailable', 'operational', 'away')),
  reset: () => Promise.reject(new AppError('redis.unavailable', 'operational', 'away')),
  forgive: () => Promise.reject(new AppError('redis.unavailable', 'operational', 'away')),
};

describe('the login throttle without Redis', () => {
  it('counts by itself: ten attempts for an account, and a success clears them', async () => {
    const throttle = new LoginThrottle(away);
    for (let attempt = 0; attempt < 10; attempt += 1) await throttle.attempt('alice', '10.0.0.1');
    await expect(throttle.attempt('ALICE', '10.0.0.2')).rejects.toMatchObject({ code: 'auth.too_many' });
    await throttle.succeeded('alice', '10.0.0.1');
    await throttle.attempt('alice', '10.0.0.1');
  });

  it('refuses an address that tries many accounts', async () => {
    const throttle = new LoginThrottle(away);
    for (let attempt = 0; attempt < 50; attempt += 1) await throttle.attempt(`user-${String(attempt)}`, '10.0.0.1');
    await expect(throttle.attempt('one-more', '10.0.0.1')).rejects.toMatchObject({ code: 'auth.too_many' });
    await throttle.attempt('one-more', '10.0.0.2');
  });
});

describe('attempts counted in one process', () => {
  it('begin anew when their window has ended', () => {
    let now = 0;
    const attempts = new LocalAttempts(() => now);
    expect(attempts.increment('a', 1_000)).toEqual({ count: 1, resetMs: 1_000 });
    now = 400;
    expect(attempts.increment('a', 1_000)).toEqual({ count: 2, resetMs: 600 });
    now = 1_000;
    expect(attempts.increment('a', 1_000)).toEqual({ count: 1, resetMs: 1_000 });
  });
});
