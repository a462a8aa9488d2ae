/** Tests run on the compiled JavaScript that ships, so there is nothing to transform. */
export default {
  rootDir: 'dist',
  testMatch: ['**/*.spec.js'],
  transform: {},
  testEnvironment: 'node',
  // A limit against what hangs, not a bar: machines differ, and how fast something is belongs into a bench.
  testTimeout: 60_000,
};
