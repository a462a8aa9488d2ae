/** Tests run on the compiled JavaScript that ships, so there is nothing to transform. */
export default {
  rootDir: 'dist',
  testMatch: ['**/*.spec.js'],
  transform: {},
  testEnvironment: 'node',
};
