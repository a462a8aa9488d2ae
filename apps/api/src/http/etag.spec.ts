import { etagOf, Precondition } from './etag.js';

const accepts = (header: string | undefined, version: number): boolean => {
  try {
    Precondition.parse(header).require(version);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'request.version.precondition_failed', kind: 'user' });
    return false;
  }
};

describe('entity tags', () => {
  it('are strong and differ by version', () => {
    expect([etagOf(1), etagOf(12)]).toEqual(['"1"', '"12"']);
  });

  it.each([
    [undefined, true],
    ['*', true],
    ['"7"', true],
    ['"6", "7"', true],
    ['"6"', false],
    ['7', false],
    ['W/"7"', false],
    ['', false],
    ['"77"', false],
    [`${'"1",'.repeat(1_000)}"7"`, false],
  ])('If-Match %p against version 7: %p', (header, expected) => {
    expect(accepts(header, 7)).toBe(expected);
  });
});
