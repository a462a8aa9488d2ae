import { FactEnvelope } from '#libs/contracts/facts.js';
import { goldenFixtures } from '#libs/testing/golden-fixtures.js';
import { seal } from './envelope.js';

describe('seal', () => {
  it('puts on the wire exactly what the golden envelopes say', () => {
    const envelopes =
      goldenFixtures('facts')['FactEnvelope']?.valid.map((message) => FactEnvelope.parse(message)) ?? [];
    expect(envelopes.length).toBeGreaterThan(0);
    for (const { spoolId, floor, seq, fact } of envelopes) {
      const sealed = seal(spoolId, floor, { seq, json: JSON.stringify(fact) });
      expect(FactEnvelope.parse(JSON.parse(sealed))).toEqual({ v: 1, spoolId, floor, seq, fact });
    }
  });

  it('never names a floor above the fact itself', () => {
    expect(JSON.parse(seal('a', 9, { seq: 4, json: '{}' }))).toMatchObject({ seq: 4, floor: 4 });
  });
});
