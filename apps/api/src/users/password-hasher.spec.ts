import { PasswordHasher } from './password-hasher.js';

describe('the password hasher', () => {
  const hasher = new PasswordHasher();

  it('makes argon2id hashes that fit their password alone', async () => {
    const hash = await hasher.hash('correct horse');
    expect(hash).toMatch(/^\$argon2id\$/);
    expect(await hasher.verify(hash, 'correct horse')).toBe(true);
    expect(await hasher.verify(hash, 'correct house')).toBe(false);
  });

  it('says no where there is no hash, even to the password of the decoy', async () => {
    expect(await hasher.verify(null, 'nobody has this password')).toBe(false);
  });

  it('answers all of many at once', async () => {
    const hash = await hasher.hash('correct horse');
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => hasher.verify(hash, String(index))));
    expect(answers).toEqual(Array(20).fill(false));
  });
});
