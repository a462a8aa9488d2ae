const { resolve } = require('node:path');

/** How the import checker finds sources: `#libs/x.js` is `libs/x.ts`, not its compiled form. */
module.exports = {
  resolve: {
    alias: { '#libs': resolve(__dirname, '../../libs'), '#tools': resolve(__dirname, '..') },
    extensionAlias: { '.js': ['.ts', '.js'] },
    extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
    conditionNames: ['import', 'node', 'default'],
  },
};
