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

describe('what else an address may do', () => {
  it('is counted apart from signing in, and for an account wherever it comes from', async () => {
    const throttle = new LoginThrottle(away);
    for (let n = 0; n < 5; n += 1) await throttle.spend('recover', `10.0.0.${String(n)}`, 'alice@example.com');
    await expect(throttle.spend('recover', '10.0.0.9', 'ALICE@example.com')).rejects.toMatchObject({
      code: 'auth.too_many',
    });
    await throttle.attempt('alice@example.com', '10.0.0.9');
    for (let n = 0; n < 20; n += 1) await throttle.spend('code', '10.0.0.1');
    await expect(throttle.spend('code', '10.0.0.1')).rejects.toMatchObject({ code: 'auth.too_many' });
    await throttle.spend('check', '10.0.0.1');
  });

  it.each([
    ['2001:db8:1:2::1', '2001:DB8:1:2:ffff:ffff:ffff:ffff', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['2001:db8::1', '2001:0db8:0:0::2', true],
    ['fe80::1%eth0', 'fe80::2%eth1', true],
    ['::ffff:10.0.0.1', '10.0.0.1', true],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.2', false],
    ['::1', '::2', true],
    ['unknown', 'unknown', true],
  ])('takes %s and %s for one: %p', async (one, other, same) => {
    const throttle = new LoginThrottle(away);
    for (let n = 0; n < 20; n += 1) await throttle.spend('register', one);
    const outcome = await throttle.spend('register', other).then(
      () => 'passed',
      () => 'refused',
    );
    expect(outcome).toBe(same ? 'refused' : 'passed');
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
