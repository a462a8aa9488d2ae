import { setImmediate as turn } from 'node:timers/promises';
import { Gathering } from './gathering.js';

describe('questions that come together', () => {
  it('are one look-up, and those that come during it the next, whose answers are newer', async () => {
    const lookedUp: string[][] = [];
    let value = 1;
    const ends: (() => void)[] = [];
    const gathering = new Gathering<string, number>(async (keys) => {
      lookedUp.push(keys);
      const answers = new Map(keys.filter((key) => key !== 'unknown').map((key) => [key, value]));
      await new Promise<void>((resolve) => ends.push(resolve));
      return answers;
    });
    const first = Promise.all(['a', 'b', 'a', 'unknown'].map((key) => gathering.ask(key)));
    await turn();
    expect(lookedUp).toEqual([['a', 'b', 'unknown']]);
    value = 2;
    const second = gathering.ask('a');
    ends[0]?.();
    expect(await first).toEqual([1, 1, 1, undefined]);
    await turn();
    ends[1]?.();
    expect(await second).toBe(2);
    expect(lookedUp).toEqual([['a', 'b', 'unknown'], ['a']]);
  });

  it('are so many at a time', async () => {
    const sizes: number[] = [];
    const gathering = new Gathering<number, number>((keys) => {
      sizes.push(keys.length);
      return Promise.resolve(new Map(keys.map((key) => [key, -key])));
    }, 10);
    const keys = Array.from({ length: 25 }, (_, key) => key);
    expect(await Promise.all(keys.map((key) => gathering.ask(key)))).toEqual(keys.map((key) => -key));
    expect(sizes).toEqual([10, 10, 5]);
  });

  it('fail together, and later ones do not', async () => {
    let away = true;
    const gathering = new Gathering<string, string>((keys) =>
      away ? Promise.reject(new Error('away')) : Promise.resolve(new Map(keys.map((key) => [key, key]))),
    );
    const outcomes = await Promise.allSettled([gathering.ask('a'), gathering.ask('b')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    away = false;
    expect(await gathering.ask('a')).toBe('a');
  });
});
