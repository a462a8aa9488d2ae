import { Cooldowns } from './cooldowns.js';

describe('Cooldowns', () => {
  it('cools a rule down from when its finding was made, once that is safe', () => {
    const cooldowns = new Cooldowns();
    expect(cooldowns.pass('a', 1_000, 0)).toBe(true);
    expect(cooldowns.pass('a', 1_000, 10)).toBe(false);
    cooldowns.kept('a', 1_000, 0);
    expect([999, 1_000].map((at) => cooldowns.pass('a', 1_000, at))).toEqual([false, true]);
    expect(cooldowns.suppressed).toBe(2);
    expect(cooldowns.pass('b', 1_000, 10)).toBe(true);
  });

  it('starts no cooldown for what could not be kept', () => {
    const cooldowns = new Cooldowns();
    cooldowns.pass('a', 1_000, 0);
    cooldowns.refused('a');
    expect(cooldowns.pass('a', 1_000, 1)).toBe(true);
  });

  it('lets everything of a rule without a cooldown through, also while the last is undecided', () => {
    const cooldowns = new Cooldowns();
    expect([0, 0, 0].map((at) => cooldowns.pass('a', 0, at))).toEqual([true, true, true]);
  });
});
