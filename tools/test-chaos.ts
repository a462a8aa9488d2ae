import { runCommand } from './services/command.js';
import { FULL_SCENARIOS } from '../test/chaos/full-scenarios.js';

/**
 * Runs the chaos scenarios at their full size, all or those named, and prints what came of each as one line of JSON.
 * The exit code is 1 when one misses its bar.
 */
await runCommand(async ({ signal, say }) => {
  const asked = process.argv.slice(2);
  const unknown = asked.find((name) => FULL_SCENARIOS[name] === undefined);
  if (unknown !== undefined) {
    say(`usage: npm run --silent test:chaos -- [${Object.keys(FULL_SCENARIOS).join(' ')}]`);
    return 2;
  }
  let missed = 0;
  for (const name of asked.length === 0 ? Object.keys(FULL_SCENARIOS) : asked) {
    if (signal.aborted) return 1;
    say(`${name} …`);
    const outcome = await FULL_SCENARIOS[name]?.(say);
    if (outcome === undefined) continue;
    process.stdout.write(`${JSON.stringify({ scenario: name, ...outcome })}\n`);
    if (!outcome.holds) missed += 1;
  }
  return missed === 0 ? 0 : 1;
});
