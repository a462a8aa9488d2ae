const specs = '[.](spec|fixture)[.]ts$';
/** Files that only tests use. */
const testOnly = `(${specs}|^libs/testing/|^test/)`;

/** The import rules of ARCHITECTURE.md. Each is proven by a fixture in tools/check/fixtures. */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Modules that need each other are one module, or miss a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nobody imports and that is no entry point is dead.',
      severity: 'error',
      from: { orphan: true, pathNot: ['[.]d[.]ts$', specs] },
      to: {},
    },
    {
      name: 'not-to-unresolvable',
      comment:
        'An import that leads nowhere; those named are optional, or found by `exports` alone, which the checker does not follow.',
      severity: 'error',
      from: {},
      to: {
        couldNotResolve: true,
        pathNot:
          '^(ffmpeg-static|js-redis-server/core|@monyone/aho-corasick/fast|csv-parse/sync|@redocly/openapi-core)$',
      },
    },
    {
      name: 'not-to-dev-dependencies',
      comment: 'Production code runs where only dependencies are installed.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: testOnly },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'apps-never-import-each-other',
      comment: 'The apps talk over the bus, by contract.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'libs-never-import-apps',
      comment: 'Libraries know nothing of who uses them.',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^(apps|tools|test|clients)/' },
    },
    {
      name: 'contracts-import-only-their-schema-library',
      comment: 'The wire depends on nothing.',
      severity: 'error',
      from: { path: '^libs/contracts/', pathNot: specs },
      to: { pathNot: '^(libs/contracts/|node_modules/zod/)' },
    },
    {
      name: 'testing-only-from-tests',
      comment: 'What serves tests does not ship.',
      severity: 'error',
      from: { pathNot: testOnly },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'redis-only-in-bus',
      comment: 'libs/bus is the only code that speaks to Redis and BullMQ.',
      severity: 'error',
      from: { pathNot: '^(libs/bus/|tools/services/)' },
      to: { path: 'node_modules/(ioredis|bullmq)/' },
    },
    {
      name: 'typeorm-only-in-entities-and-repositories',
      comment: 'The ORM stays behind the repositories.',
      severity: 'error',
      from: { pathNot: `^(apps/api/src/(database/|.+[.](entity|repository|module)[.]ts$)|test/)|${specs}` },
      to: { path: 'node_modules/(typeorm|@nestjs/typeorm)/' },
    },
    {
      name: 'child-processes-only-in-capture-and-tools',
      comment:
        'Every process has an owner: ffmpeg in capture, the host of the native speech engine, which may crash alone, and the runs of external resolvers.',
      severity: 'error',
      from: {
        pathNot: `^(apps/monitor/src/capture/|apps/monitor/src/detectors/whisper/sherpa-host[.]ts$|apps/monitor/src/platforms/resolver-process[.]ts$|tools/|test/)`,
      },
      to: { path: '^(node:)?child_process$' },
    },
    {
      name: 'onnxruntime-only-in-inference',
      comment: 'Inference blocks its thread; it runs in the workers of one room.',
      severity: 'error',
      from: { pathNot: '^(apps/monitor/src/inference/|test/bench/)' },
      to: { path: 'node_modules/onnxruntime-node/' },
    },
    {
      name: 'socket-io-only-in-gateways',
      comment: 'Sockets are served in realtime and messaging alone.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: `^apps/api/src/(realtime|messaging)/|${specs}` },
      to: { path: 'node_modules/(socket[.]io|@socket[.]io/[^/]+|@nestjs/platform-socket[.]io)/' },
    },
    {
      name: 'adapters-never-import-each-other',
      comment: 'A platform, detector, chat source or channel is one folder that stands alone.',
      severity: 'error',
      from: { path: '^apps/monitor/src/(platforms|detectors|chat)/([^/]+)/' },
      to: { path: '^apps/monitor/src/(platforms|detectors|chat)/[^/]+/', pathNot: '^apps/monitor/src/$1/$2/' },
    },
    {
      name: 'repositories-stay-in-their-slice',
      comment: "A slice uses another slice's service, never its repository.",
      severity: 'error',
      from: { path: '^apps/api/src/([^/]+)/', pathNot: specs },
      to: { path: '^apps/api/src/[^/]+/.+[.]repository[.]ts$', pathNot: '^apps/api/src/$1/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    webpackConfig: { fileName: 'tools/check/resolve.cjs' },
  },
};
