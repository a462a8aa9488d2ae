import { Turns } from './turns.js';

describe('turns', () => {
  it('let so many work at once, keep so many waiting in order, and send the rest away with a time to come again', async () => {
    const turns = new Turns(2, 3);
    const finish: (() => void)[] = [];
    const order: number[] = [];
    const work = (number: number): Promise<void> =>
      turns.take(() => {
        order.push(number);
        return new Promise((resolve) => finish.push(resolve));
      });
    const taken = [1, 2, 3, 4, 5].map(work);
    expect(order).toEqual([1, 2]);
    await expect(work(6)).rejects.toMatchObject({
      code: 'auth.busy',
      kind: 'operational',
      details: { retryAfterSeconds: expect.any(Number) as number },
    });
    for (const promise of taken) {
      finish.shift()?.();
      await promise;
    }
    expect(order).toEqual([1, 2, 3, 4, 5]);
  });

  it('go on after a work that failed', async () => {
    const turns = new Turns(1, 1);
    const failing = turns.take(() => Promise.reject(new Error('failed')));
    const next = turns.take(() => Promise.resolve('done'));
    await expect(failing).rejects.toThrow('failed');
    expect(await next).toBe('done');
    expect(await turns.take(() => Promise.resolve('again'))).toBe('again');
  });
});
