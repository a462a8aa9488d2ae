import { repositoryRoot } from '#libs/config/environment.js';
import { AppError } from '#libs/errors/app-error.js';
import { channelPlan } from './new/channel.js';
import { detectorPlan } from './new/detector.js';
import { platformPlan } from './new/platform.js';
import { scaffold, type Plan } from './new/scaffold.js';

const USAGE = `usage: npm run new:platform | new:detector | new:channel -- <id>

Writes a folder that works at once, with its spec and a stand-in for the world outside, and enters it in the registry.
The id is of small letters, digits and hyphens: my-site.
`;

const PLANS: Readonly<Record<string, (id: string) => Plan>> = {
  platform: platformPlan,
  detector: detectorPlan,
  channel: channelPlan,
};

async function main([kind = '', id = '', ...more]: readonly string[]): Promise<number> {
  const planOf = PLANS[kind];
  if (planOf === undefined || id === '' || id.startsWith('--') || more.length > 0) {
    process.stderr.write(USAGE);
    return id === '--help' ? 0 : 2;
  }
  try {
    const plan = planOf(id);
    for (const path of await scaffold(plan, repositoryRoot)) process.stdout.write(`${path}\n`);
    process.stderr.write(`\n${plan.next}\nNow: npm test -- ${plan.folder.replace(/^.*src\//, '')}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
