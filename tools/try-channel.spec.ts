import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '#libs/config/environment.js';
import { WebhookServer } from '#libs/testing/webhook-server.js';

const tool = fileURLToPath(new URL('./try-channel.js', import.meta.url));

describe('try-channel', () => {
  let receiver: WebhookServer;
  beforeAll(async () => {
    receiver = await WebhookServer.start();
  });
  afterAll(() => receiver.stop());

  function run(...args: string[]): Promise<{ code: number | null; output: string; errors: string }> {
    return new Promise((resolve, reject) => {
      const env = childEnvironment({ WEBHOOK_ALLOW: receiver.place, SMTP_URL: '' });
      const child = spawn(process.execPath, [tool, ...args], { env, timeout: 60_000 });
      let [output, errors] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
      child.once('error', reject).once('close', (code) => resolve({ code, output, errors }));
    });
  }
  const target = (): string =>
    JSON.stringify({ endpointId: '00000000-0000-4000-8000-000000000000', url: receiver.url, secret: 'whsec_c2VjcmV0' });

  it('sends one message, and says what is wrong when it is refused', async () => {
    expect(await run('webhook', target())).toMatchObject({ code: 0, output: '{"channel":"webhook","reference":""}\n' });
    expect(receiver.calls.map(({ body }) => body)).toEqual([expect.stringContaining('A message to try the channel')]);
    receiver.script.push({ status: 410 });
    const { code, output } = await run('webhook', target());
    expect({ code, answer: JSON.parse(output) as unknown }).toMatchObject({ code: 1, answer: { permanent: true } });
  });

  it.each([
    [[], 'Name a channel'],
    [['webhook', 'nonsense'], 'JSON'],
    [['pigeon', '{}'], 'There is no channel "pigeon"; there are: '],
    [['email', '{"address":"a@example.com"}'], 'E-mail is not set up'],
    [['webhook', '{}'], 'That is no target of webhook'],
  ])('refuses %j with a sentence', async (args, sentence) => {
    const { code, errors } = await run(...args);
    expect({ code, errors }).toEqual({ code: 2, errors: expect.stringContaining(sentence) });
  });
});
