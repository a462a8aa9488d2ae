import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { cruise, type IConfiguration, type ICruiseResult } from 'dependency-cruiser';
import { repositoryRoot } from '#libs/config/environment.js';

/** For each import rule the files that break it: path to source. */
export const IMPORT_FIXTURES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'no-cycles': {
    'libs/evidence/a.ts': "import './b.js';",
    'libs/evidence/b.ts': "import './a.js';",
  },
  'no-orphans': { 'libs/evidence/forgotten.ts': 'export const forgotten = 1;' },
  'not-to-unresolvable': { 'libs/evidence/a.ts': "import './nowhere.js';" },
  'not-to-dev-dependencies': { 'apps/api/src/main.ts': "import 'prettier';" },
  'apps-never-import-each-other': {
    'apps/api/src/main.ts': "import '../../monitor/src/main.js';",
    'apps/monitor/src/main.ts': 'export {};',
  },
  'libs-never-import-apps': {
    'libs/bus/a.ts': "import '../../apps/api/src/main.js';",
    'apps/api/src/main.ts': 'export {};',
  },
  'contracts-import-only-their-schema-library': { 'libs/contracts/a.ts': "import 'pino';" },
  'testing-only-from-tests': {
    'apps/api/src/main.ts': "import '../../../libs/testing/clock.js';",
    'libs/testing/clock.ts': 'export {};',
  },
  'redis-only-in-bus': { 'apps/api/src/streams/streams.service.ts': "import 'ioredis';" },
  'typeorm-only-in-entities-and-repositories': { 'apps/api/src/streams/streams.service.ts': "import 'typeorm';" },
  'child-processes-only-in-capture-and-tools': {
    // An adapter runs its program through platforms/resolver-process.ts, which the rule names.
    'apps/monitor/src/platforms/streamlink/streamlink.platform.ts': "import 'node:child_process';",
  },
  'onnxruntime-only-in-inference': { 'apps/monitor/src/detectors/yolo/yolo.ts': "import 'onnxruntime-node';" },
  'socket-io-only-in-gateways': { 'apps/api/src/streams/streams.service.ts': "import 'socket.io';" },
  'adapters-never-import-each-other': {
    'apps/monitor/src/platforms/twitch/twitch.platform.ts': "import '../url/url.platform.js';",
    'apps/monitor/src/platforms/url/url.platform.ts': 'export {};',
  },
  'repositories-stay-in-their-slice': {
    'apps/api/src/rules/rules.service.ts': "import '../streams/streams.repository.js';",
    'apps/api/src/streams/streams.repository.ts': 'export {};',
  },
};

/**
 * Breaks every import rule once, in a folder of its own, and sees whether the rule notices.
 * @returns a sentence for each rule that has no fixture or lets its fixture pass.
 */
export async function unprovenImportRules(): Promise<string[]> {
  const rules = createRequire(import.meta.url)(join(repositoryRoot, '.dependency-cruiser.cjs')) as IConfiguration;
  const complaints: string[] = [];
  await mkdir(join(repositoryRoot, '.vigil'), { recursive: true });
  for (const { name = '?' } of rules.forbidden ?? []) {
    const files = IMPORT_FIXTURES[name];
    if (files === undefined) complaints.push(`import rule ${name} has no fixture that breaks it`);
    else if (!(await breaks(name, files, rules))) complaints.push(`import rule ${name} lets its fixture pass`);
  }
  return complaints;
}

async function breaks(rule: string, files: Readonly<Record<string, string>>, rules: IConfiguration): Promise<boolean> {
  const folder = await mkdtemp(join(repositoryRoot, '.vigil', 'import-fixture-'));
  try {
    for (const [path, source] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), source);
    }
    const { exclude: _exclude, tsConfig: _tsConfig, ...options } = rules.options ?? {};
    const { output } = await cruise(Object.keys(files), {
      ...options,
      baseDir: folder,
      validate: true,
      ruleSet: { forbidden: rules.forbidden ?? [] },
    });
    return (output as ICruiseResult).summary.violations.some((violation) => violation.rule.name === rule);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
