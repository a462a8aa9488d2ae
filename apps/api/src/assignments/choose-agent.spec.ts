import { chooseAgent, type Candidate } from './choose-agent.js';

const agent = (agentId: string, changes: Partial<Candidate> = {}): Candidate => ({
  ...{ agentId, online: true, active: 0, capacity: null },
  ...changes,
});

describe('choosing an agent', () => {
  it('prefers who is online, even with more to do', () => {
    expect(chooseAgent([agent('a', { online: false }), agent('b', { active: 5 })])?.agentId).toBe('b');
  });

  it('takes who has least to do among those who are alike', () => {
    expect(
      chooseAgent([agent('a', { active: 2 }), agent('b', { active: 1 }), agent('c', { active: 1 })])?.agentId,
    ).toBe('b');
  });

  it('never goes beyond a capacity, and takes somebody offline rather', () => {
    const full = agent('a', { active: 3, capacity: 3 });
    expect(chooseAgent([full, agent('b', { online: false, active: 9 })])?.agentId).toBe('b');
    expect(chooseAgent([full, agent('b', { capacity: 0 })])).toBeNull();
  });
});
