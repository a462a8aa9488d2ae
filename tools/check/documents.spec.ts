import { documentFaults, groundOf, type Ground } from './documents.js';
import { repositoryRoot } from '#libs/config/environment.js';

/** The faults of a README with this text beside one other page. */
function faultsOf(text: string): Promise<string[]> {
  const pages: Record<string, string> = { 'README.md': text, 'docs/other.md': '# Other\n\n## A b: c-d `e`\n' };
  const ground: Ground = {
    paths: new Set([...Object.keys(pages), 'docs', 'libs', 'libs/bus', 'libs/bus/keys.ts', 'libs/bus/names.ts']),
    scripts: new Set(['check', 'try:stream']),
    settings: new Set(['MODELS_DIR', 'RETENTION_DAYS']),
    read: async (path) => pages[path] ?? '',
  };
  return documentFaults(ground);
}

it('finds every link, script, path and setting of the documents', async () => {
  expect(await documentFaults(await groundOf(repositoryRoot))).toEqual([]);
});

it.each([
  ['[a](docs/other.md) [b](docs/other.md#a-b-c-d-e) [c](https://example.com/x) [d](docs/)'],
  ['`npm run check` and `npm run --silent try:stream -- x`'],
  ['`libs/bus/keys.ts`, `bus/keys.ts`, `keys.ts`, `libs/bus/`, `libs/*/{keys,names}.ts`, `audio/mpeg`, `GET /api/x`'],
  ['`MODELS_DIR`, `MODELS_DIR=x`, `MODELS_DIR_FILE`, `RETENTION_…`, `GET`, `NODE_ENV`'],
])('takes %s', async (text) => {
  expect(await faultsOf(text)).toEqual([]);
});

it.each([
  ['[a](docs/none.md)', 'the link docs/none.md leads nowhere'],
  ['[a](docs/other.md#c)', 'the link docs/other.md#c: docs/other.md has no such heading'],
  ['[a](#c)', 'the link #c: README.md has no such heading'],
  ['```bash\nnpm run chekc\n```', 'there is no npm run chekc'],
  ['`libs/bus/none.ts`', 'there is no libs/bus/none.ts'],
  ['`libs/none/`', 'there is no libs/none/'],
  ['`none.ts`', 'there is no none.ts'],
  ['`MODEL_DIR`', 'there is no setting MODEL_DIR'],
  ['`FOREVER_…`', 'there is no setting FOREVER_'],
])('finds what is wrong with %s', async (text, fault) => {
  expect(await faultsOf(text)).toEqual([`README.md: ${fault}`]);
});
