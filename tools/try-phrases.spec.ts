import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '#libs/config/environment.js';

const tool = fileURLToPath(new URL('./try-phrases.js', import.meta.url));

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vigil-phrases-'));
});
afterAll(() => rm(directory, { recursive: true }));

interface Run {
  code: number | null;
  output: string;
  errors: string;
}

function run(args: string[], input = ''): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tool, ...args], { env: childEnvironment({}), timeout: 60_000 });
    let [output, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
    // One that ends before it has read its input closes the pipe.
    child.stdin.on('error', () => undefined);
    child.once('error', reject).once('close', (code) => resolve({ code, output, errors }));
    child.stdin.end(input);
  });
}

async function rulesFile(content: unknown): Promise<string> {
  const path = join(directory, 'rules.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const lines = (output: string): unknown[] =>
  output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

describe('try-phrases', () => {
  it('prints one JSON line for each line of its input, with offsets in UTF-16 units of that line', async () => {
    const rules = await rulesFile([
      { id: 'free', pattern: 'free', allow: ['free range'], kind: 'literal' },
      { id: 'digits', pattern: '\\d{4}', allow: [], kind: 'regex' },
    ]);
    const input = '😀 FREE 1234\r\nfree range eggs\n\nf r e e\nwithout an end: fr33';
    const { code, output, errors } = await run(['--rules', rules], input);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    const confidence = expect.any(Number) as number;
    expect(lines(output)).toEqual([
      {
        text: '😀 FREE 1234',
        hits: [
          { rule: 'free', start: 3, end: 7, view: 'plain', confidence: 1 },
          { rule: 'digits', start: 8, end: 12, view: 'plain', confidence: 1 },
        ],
      },
      { text: 'free range eggs', hits: [] },
      { text: '', hits: [] },
      { text: 'f r e e', hits: [{ rule: 'free', start: 0, end: 7, view: 'joined', confidence }] },
      { text: 'without an end: fr33', hits: [{ rule: 'free', start: 16, end: 20, view: 'leet', confidence }] },
    ]);
  }, 30_000);

  it('reads lines as speech when told so: likeness counts, evasive spelling does not', async () => {
    const rules = await rulesFile([{ id: 'decade', pattern: 'decade', fuzzy: true }]);
    const hitsOf = (output: string): unknown[] =>
      lines(output).map((line) => (line as { hits: { view: string }[] }).hits.map(({ view }) => view));
    const input = 'one decadde ago\nd3c4d3\n';
    expect(hitsOf((await run(['--rules', rules, '--speech'], input)).output)).toEqual([['fuzzy'], []]);
    expect(hitsOf((await run(['--rules', rules], input)).output)).toEqual([[], ['leet']]);
  }, 30_000);

  it.each([
    ['no rules file named', null, 'Name the file of the rules with --rules'],
    ['a file that is no JSON', '[{', 'cannot be read'],
    ['a file of another shape', { id: 'a' }, 'not as they should be: the file'],
    ['a rule without a pattern', [{ id: 'a' }], 'not as they should be: 0.pattern'],
    ['a pattern that is refused', [{ id: 'back', pattern: '(a)\\1', kind: 'regex' }], 'Rule back: '],
  ])(
    'ends with 2 and one clear sentence when given %s',
    async (_, content, sentence) => {
      const args = content === null ? [] : ['--rules', await rulesFile(content)];
      const { code, output, errors } = await run(args, 'a\n');
      expect({ code, output }).toEqual({ code: 2, output: '' });
      expect(errors).toContain(sentence);
      expect(errors).not.toContain('    at ');
    },
    30_000,
  );

  it('ends with 2 when the file is not there, and explains its use on an unknown flag or when asked', async () => {
    const missing = await run(['--rules', join(directory, 'none.json')]);
    expect(missing.code).toBe(2);
    expect(missing.errors).toContain('none.json');
    const unknown = await run(['--frobnicate']);
    expect(unknown.code).toBe(2);
    expect(unknown.errors).toContain('Usage:');
    const help = await run(['--help']);
    expect(help.code).toBe(0);
    expect(help.output).toContain('Usage:');
  }, 30_000);
});
