import { dirname, join } from 'node:path';
import { check, resolveConfig } from 'prettier';
import ts from 'typescript';
import { repositoryRoot } from '#libs/config/environment.js';
import { channelPlan } from './channel.js';
import { detectorPlan } from './detector.js';
import { platformPlan } from './platform.js';
import { appended, drawn, imported, namesOf, type Plan } from './scaffold.js';

/** What the compiler says of these files, laid over the tree. */
function compilerFaults(texts: ReadonlyMap<string, string>): string[] {
  const over = new Map([...texts].map(([path, text]) => [join(repositoryRoot, path), text]));
  const configPath = join(repositoryRoot, 'tsconfig.json');
  const { config } = ts.readConfigFile(configPath, (path) => ts.sys.readFile(path)) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, { ...ts.sys, readDirectory: () => [] }, repositoryRoot);
  const compilerOptions = { ...options, noEmit: true, incremental: false, tsBuildInfoFile: undefined };
  const base = ts.createCompilerHost(compilerOptions);
  const folders = new Set([...over.keys()].map((path) => dirname(path)));
  const host: ts.CompilerHost = {
    ...base,
    readFile: (path) => over.get(path) ?? base.readFile(path),
    fileExists: (path) => over.has(path) || base.fileExists(path),
    directoryExists: (path) => folders.has(path) || ts.sys.directoryExists(path),
    getSourceFile: (path, language, ...rest) => {
      const text = over.get(path);
      if (text !== undefined) return ts.createSourceFile(path, text, language, true);
      return base.getSourceFile(path, language, ...rest);
    },
  };
  const program = ts.createProgram([...over.keys()], compilerOptions, host);
  return [...over.keys()].flatMap((path) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ messageText, start }) => `${path} ${String(start)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
  });
}

const PLANS: readonly ((id: string) => Plan)[] = [platformPlan, detectorPlan, channelPlan];

describe('npm run new:…', () => {
  it('writes what compiles and is formatted, registry and conformance included', async () => {
    const options = await resolveConfig(join(repositoryRoot, 'package.json'));
    const all = new Map<string, string>();
    for (const planOf of PLANS)
      for (const [path, text] of await drawn(planOf('my-new9'), repositoryRoot)) all.set(path, text);
    expect([...all.keys()]).toEqual(
      expect.arrayContaining([
        'apps/monitor/src/platforms/registry.ts',
        'apps/monitor/src/platforms/conformance.spec.ts',
        'apps/monitor/src/detectors/registry.ts',
        'apps/api/src/notifications/channels/registry.ts',
      ]),
    );
    for (const text of all.values()) expect(await check(text, { ...options, parser: 'typescript' })).toBe(true);
    expect(compilerFaults(all)).toEqual([]);
  }, 240_000);

  it.each(['', 'My', '9lives', 'a--b', 'a-', '../up', 'a b', 'a'.repeat(32)])('refuses the id %p', (id) => {
    for (const planOf of PLANS) expect(() => planOf(id)).toThrow('is no id');
  });

  it.each<[string, () => Plan]>([
    ['platform', () => platformPlan('kick')],
    ['detector', () => detectorPlan('yolo')],
    ['channel', () => channelPlan('email')],
    ['stand-in', () => ({ ...platformPlan('free'), files: { 'libs/testing/hls-origin.ts': '' } })],
  ])('refuses the name of a %s that is there', async (_kind, plan) => {
    await expect(drawn(plan(), repositoryRoot)).rejects.toThrow(/^The name is taken: \S+ is there already/);
  });

  it('says which file lost the place to add to', async () => {
    const edits = [appended('package.json', /nowhere \{/, 'x')];
    await expect(drawn({ ...platformPlan('free'), edits }, repositoryRoot)).rejects.toThrow(/^package.json no longer/);
  });

  it('knows the forms of a name', () => {
    expect(namesOf('my-new9')).toEqual({ id: 'my-new9', camel: 'myNew9', pascal: 'MyNew9', title: 'My new9' });
  });

  it.each([
    ['f({ a: 1 })', 'f({ a: 1,\nb\n})'],
    ['f({ a: [1, { c }], })', 'f({ a: [1, { c }],\nb\n})'],
    ['f({})', 'f({\nb\n})'],
  ])('adds to %p', (text, wanted) => {
    expect(appended('', /f\(\{/, 'b').change(text)).toBe(wanted);
  });

  it('adds an import after the last one', () => {
    const text = "import a from 'a';\nimport {\n  b,\n} from 'b';\n\nconst c = 1;\n";
    expect(imported('', 'import d;').change(text)).toContain("} from 'b';\nimport d;\n\n");
    expect(imported('', 'import d;').change('const c = 1;\n')).toBeNull();
  });
});
