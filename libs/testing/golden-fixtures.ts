import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { repositoryRoot } from '#libs/config/environment.js';

const Fixtures = z.record(
  z.string(),
  z.object({ valid: z.array(z.unknown()).min(1), invalid: z.array(z.unknown()).min(1) }),
);

/** Messages as they stand on the wire, by schema: those that fit it and those that must not. */
export type GoldenFixtures = z.infer<typeof Fixtures>;

/** Reads `libs/contracts/fixtures/<name>.json`, which the tests of both apps hold themselves to. */
export function goldenFixtures(
  name: 'facts' | 'captures' | 'monitors' | 'sockets' | 'messages' | 'client-messages' | 'chat' | 'inspections',
): GoldenFixtures {
  const path = join(repositoryRoot, 'libs', 'contracts', 'fixtures', `${name}.json`);
  return Fixtures.parse(JSON.parse(readFileSync(path, 'utf8')));
}

/** The first valid message of a schema. */
export function goldenFixture(name: Parameters<typeof goldenFixtures>[0], schema: string): unknown {
  return goldenFixtures(name)[schema]?.valid[0];
}
