// Asks the app in this container whether it lives; the container engine runs it. Exit code 0 for yes.
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';

const { env, argv } = process;
const isApi = argv[2] === 'api';
const port = isApi ? (env.MAIN_APP_PORT ?? '3000') : (env.MONITOR_PORT ?? '3001');
// The certificate is made for the public name, and this is the loopback.
const get = isApi && env.SSL_CERT_PATH ? (url, done) => getHttps(url, { rejectUnauthorized: false }, done) : getHttp;
const scheme = get === getHttp ? 'http' : 'https';

get(`${scheme}://127.0.0.1:${port}/health/live`, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))
  .on('error', () => process.exit(1))
  .setTimeout(4_000, () => process.exit(1));
