import { RedisServerState, Resp2Server, createRedisCommandExecutor } from 'js-redis-server/core';
import { z } from 'zod';
import { loadSettings } from '#libs/config/environment.js';
import { secret } from '#libs/config/settings.js';

/**
 * A Redis for evaluation, in a process of its own so that nothing shares its event loop; keeps everything in memory.
 * Takes the port as its argument and the password from its environment, where no other user can read it.
 */
const { VIGIL_JS_REDIS_PASSWORD: password } = loadSettings({
  VIGIL_JS_REDIS_PASSWORD: secret(z.string().min(8), 'Password of the Redis in JavaScript; set by whoever starts it.'),
});
const state = new RedisServerState({ databaseCount: 16, requirepass: password });
const server = new Resp2Server({ server: state, executor: createRedisCommandExecutor() });
await server.listen(Number(process.argv[2]));
process.once('SIGTERM', () => void server.close().finally(() => process.exit(0)));
