import { repositoryRoot } from '#libs/config/environment.js';
import { commandFaults } from './commands.js';
import { groundOf } from './documents.js';

/** The faults of a page with this text beside a ledger with these rows. */
function faultsOf(text: string, ...rows: string[]): Promise<string[]> {
  const pages: Record<string, string> = {
    'docs/operation.md': text,
    'docs/commands.md': ['| command | executed |', '| --- | --- |', ...rows].join('\n'),
  };
  const paths = new Set([...Object.keys(pages), 'tools/db.spec.ts']);
  const none = new Set<string>();
  return commandFaults({ paths, scripts: none, settings: none, read: async (path) => pages[path] ?? '' });
}

const BY_SPEC = '| `npm run db:init` | `tools/db.spec.ts` |';

it('knows what executes every command of the documents', async () => {
  expect(await commandFaults(await groundOf(repositoryRoot))).toEqual([]);
});

it.each([
  ['```bash\nnpm run db:init   # once\n```', BY_SPEC],
  ['Then `npm run db:init`, `DATABASE_URL` and `GET /api/x`.', BY_SPEC],
  ['```bash\nexport A=1\n\nA=… b \\\n  c\n```', '| `A=… b c` | by hand, 2026-11-23 |'],
  ['```json\n{}\n```\n```mermaid\na\n```', ''],
])('takes %j with %j', async (text, row) => {
  expect(await faultsOf(text, row)).toEqual([]);
});

it.each([
  ['```sql\nSELECT 1;\n```', '', 'docs/operation.md: docs/commands.md does not say what executes: SELECT 1;'],
  ['`npm run db:reset`', '', 'docs/operation.md: docs/commands.md does not say what executes: npm run db:reset'],
  ['', BY_SPEC, 'docs/commands.md: no document tells: npm run db:init'],
  [
    '`npm run db:init`',
    '| `npm run db:init` | `tools/gone.spec.ts` |',
    'docs/commands.md: neither a spec nor a day executes: npm run db:init',
  ],
  [
    '`npm run db:init`',
    '| `npm run db:init` | surely |',
    'docs/commands.md: neither a spec nor a day executes: npm run db:init',
  ],
])('finds what is wrong with %j beside %j', async (text, row, fault) => {
  expect(await faultsOf(text, row)).toEqual([fault]);
});
