import { Canary, HlsOrigin } from '#libs/testing/hls-origin.js';
import { NameServer } from '#libs/testing/name-server.js';
import { REFUSED_HOSTS, plantedResolver, treacherousNames } from '#libs/testing/refused-hosts.js';
import { WebhookServer } from '#libs/testing/webhook-server.js';
import { DeliveryFault } from '../channel.port.js';
import { GuardedPost } from './guarded-post.js';

describe('webhooks go nowhere they must not', () => {
  let inside: WebhookServer;
  const signal = (): AbortSignal => AbortSignal.timeout(2_000);

  beforeAll(async () => {
    inside = await WebhookServer.start();
  });
  afterAll(() => inside.stop());

  async function refusal(url: string, posts = new GuardedPost(new Set())): Promise<DeliveryFault> {
    const fault: unknown = await posts.post(url, '{}', {}, signal()).catch((error: unknown) => error);
    if (!(fault instanceof DeliveryFault)) throw new Error(`${url} was not refused`);
    return fault;
  }
  const port = (): string => inside.place.split(':')[1] ?? '';

  it.each(REFUSED_HOSTS)('not to %s', async (host) => {
    const fault = await refusal(`http://${host}:${port()}/hook`, new GuardedPost(new Set(), plantedResolver));
    expect(fault).toMatchObject({ permanent: true });
    expect(fault.message).toContain('not allowed');
    expect(inside.calls).toHaveLength(0);
  });

  it('not to a name with any address that is not public, nor to a port of a well-known service', async () => {
    const posts = new GuardedPost(new Set(), () => Promise.resolve(['8.8.8.8', '10.0.0.1']));
    expect((await refusal('http://two.example:8080/', posts)).message).toContain('private');
    const fine = new GuardedPost(new Set(), () => Promise.resolve(['8.8.8.8']));
    expect((await refusal('http://redis.example:6379/', fine)).message).toContain('port');
    expect((await refusal('ftp://files.example/', fine)).permanent).toBe(true);
  });

  it('to the address that was checked, whatever the name says a moment later', async () => {
    const answers = [['127.0.0.1'], ['10.0.0.1'], ['10.0.0.1']];
    const asked: string[] = [];
    const posts = new GuardedPost(new Set([`rebind.invalid:${port()}`]), (host) => {
      asked.push(host);
      return Promise.resolve(answers.shift() ?? []);
    });
    // A second look-up would have had another answer, and the system's own resolver knows no such name at all.
    const url = `http://rebind.invalid:${port()}/pinned`;
    expect(await posts.post(url, '{}', {}, signal())).toMatchObject({ status: 204 });
    expect(asked).toEqual(['rebind.invalid']);
    expect(inside.calls.at(-1)?.headers.host).toBe(`rebind.invalid:${port()}`);
    const rebinding = new GuardedPost(new Set(), () => Promise.resolve(answers.shift() ?? ['127.0.0.1']));
    expect((await refusal(`http://public.example:${port()}/`, rebinding)).permanent).toBe(true);
  });

  it('not by a name server that lies, though its first answer was good', async () => {
    const names = await NameServer.start(treacherousNames('93.184.216.34', '127.0.0.1'));
    const calls = inside.calls.length;
    const posts = new GuardedPost(new Set(), names.resolve);
    for (const name of Object.keys(treacherousNames('', ''))) {
      // The good answer goes to whoever asked before; what is posted to is asked for anew.
      await names.resolve(name).catch(() => []);
      await refusal(`http://${name}:${port()}/hook`, posts);
    }
    expect(inside.calls).toHaveLength(calls);
    await names.stop();
  });

  it('to the address that a name server gave first, whatever it says a moment later', async () => {
    // Another address of loopback, with a listener at the same port.
    const open = await HlsOrigin.start('127.0.0.2');
    const place = new URL(open.url('/')).port;
    const forbidden = await Canary.start(Number(place));
    const names = await NameServer.start(treacherousNames('127.0.0.2', '127.0.0.1'));
    const posts = new GuardedPost(new Set([`rebind.test:${place}`]), names.resolve);
    expect(await posts.post(`http://rebind.test:${place}/`, '{}', {}, signal())).toMatchObject({ status: 404 });
    expect(names.questions.sort()).toEqual(['rebind.test A', 'rebind.test AAAA']);
    expect([open.requests, forbidden.connections]).toEqual([['/'], 0]);
    await Promise.all([open.stop(), forbidden.stop(), names.stop()]);
  });

  it('and never after a redirect', async () => {
    const calls = inside.calls.length;
    inside.script.push({ status: 302, headers: { location: `http://${inside.place}/secret` } });
    const posts = new GuardedPost(new Set([inside.place]));
    expect(await posts.post(inside.url, '{}', {}, signal())).toMatchObject({ status: 302 });
    expect(inside.calls.slice(calls).map(({ path }) => path)).toEqual(['/hook']);
  });
});
