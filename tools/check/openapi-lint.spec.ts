import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '#libs/config/environment.js';
import { openApiFaults } from './openapi-lint.js';

describe('the OpenAPI lint', () => {
  let text: string;

  beforeAll(async () => {
    text = await readFile(join(repositoryRoot, 'openapi.json'), 'utf8');
  });

  it('finds nothing wrong with the document of the project', async () => {
    expect(await openApiFaults(text)).toEqual([]);
  }, 30_000);

  it.each([
    [
      'an operationId that is not camelCase',
      '"operationId": "listStreams"',
      '"operationId": "list_streams"',
      'camelCase',
    ],
    ['an operationId of two operations', '"operationId": "listStreams"', '"operationId": "listObjects"', "another's"],
    ['an error that is not declared', '"412":', '"410":', 'does not declare 412'],
    ['an example that its schema refuses', '"example": "person"', '"example": 7', 'Example'],
    ['an operation that was opened', '"operationId": "login"', '"operationId": "logIn"', 'open to anybody'],
  ])(
    'finds %s',
    async (_what, from, to, complaint) => {
      expect(text).toContain(from);
      expect((await openApiFaults(text.replace(from, to))).join('\n')).toContain(complaint);
    },
    30_000,
  );
});
