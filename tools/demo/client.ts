import { io, type Socket } from 'socket.io-client';
import { z } from 'zod';
import { DetectionView, StreamStatusEvent } from '#libs/contracts/sockets.js';
import { AppError } from '#libs/errors/app-error.js';

const Login = z.object({ accessToken: z.string() });
const Problem = z.object({ detail: z.string().optional(), title: z.string().optional() });
const StreamItem = z.object({ id: z.string(), name: z.string(), url: z.string().nullish() });
const StreamPage = z.object({ items: z.array(StreamItem), nextCursor: z.string().nullable() });
type StreamItem = z.infer<typeof StreamItem>;

/** What the demo hears over Socket.IO. */
interface DemoListeners {
  detection: (detection: DetectionView) => void;
  status: (status: StreamStatusEvent) => void;
}

/** The few calls to the api that the demo makes, with no more rights than other clients have. */
export class DemoClient {
  private token = '';

  constructor(
    private readonly base: string,
    private readonly account: { username: string; password: string },
  ) {}

  /** @throws AppError `demo.login` when the account is refused. */
  async login(): Promise<void> {
    const { status, body } = await this.send('POST', '/auth/login', this.account);
    const login = Login.safeParse(body);
    if (!login.success) {
      throw new AppError(
        'demo.login',
        'operational',
        `The api refused the demo's account "${this.account.username}" (status ${status}, ${reasonIn(body)}). When the database had an admin before, set DEFAULT_ADMIN_USERNAME and DEFAULT_ADMIN_PASSWORD to that account.`,
      );
    }
    this.token = login.data.accessToken;
  }

  /** Puts a label on the watch list; one that is there already stays as it is. */
  async watchFor(label: string): Promise<void> {
    const rule = { label, threshold: 0.4, severity: 'high', cooldownMs: 0 };
    const answer = await this.send('POST', '/objects', rule);
    if (answer.status !== 409) expectSuccess('put an object on the watch list', answer);
  }

  /** The stream of that name, playing that url: made, corrected, or found as it should be. */
  async ensureStream(name: string, url: string): Promise<string> {
    const found = await this.findStream(name);
    if (found === null) {
      const answer = await this.send('POST', '/streams', { name, platform: 'url', url });
      return StreamItem.parse(expectSuccess('make the stream', answer)).id;
    }
    if (found.url !== url) {
      expectSuccess('correct the stream', await this.send('PATCH', `/streams/${found.id}`, { url }));
    }
    return found.id;
  }

  /** Has the stream watched; one that is being watched already stays so. */
  async startMonitoring(streamId: string): Promise<void> {
    const answer = await this.send('POST', `/monitoring/stream/${streamId}/start`);
    if (answer.status !== 409) expectSuccess('start monitoring', answer);
  }

  /** Listens for events; logs in anew for each connection, since tokens expire. */
  listen({ detection, status }: DemoListeners): Socket {
    const socket = io(this.base, {
      transports: ['websocket'],
      auth: (give) => {
        const login = this.token === '' ? this.login() : Promise.resolve();
        login.catch(() => undefined).finally(() => give({ token: this.token }));
      },
    });
    socket.on('disconnect', (reason) => {
      this.token = '';
      if (reason === 'io server disconnect') setTimeout(() => socket.connect(), 1_000).unref();
    });
    socket.on('connect_error', () => {
      this.token = '';
      // The server refused the token, which Socket.IO does not try again by itself.
      if (!socket.active) setTimeout(() => socket.connect(), 1_000).unref();
    });
    socket.on('detection', (payload: unknown) => {
      const parsed = DetectionView.safeParse(payload);
      if (parsed.success) detection(parsed.data);
    });
    socket.on('stream_status', (payload: unknown) => {
      const parsed = StreamStatusEvent.safeParse(payload);
      if (parsed.success) status(parsed.data);
    });
    return socket;
  }

  /** Absolute address of an evidence image with its boxes drawn. */
  evidenceUrl(imageUrl: string): string {
    const url = new URL(imageUrl, this.base);
    url.searchParams.set('boxes', '1');
    return url.href;
  }

  private async findStream(name: string): Promise<StreamItem | null> {
    let cursor: string | null = null;
    for (let page = 0; page < 50; page += 1) {
      const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const answer = await this.send('GET', `/streams?limit=100${query}`);
      const { items, nextCursor }: z.infer<typeof StreamPage> = StreamPage.parse(
        expectSuccess('list the streams', answer),
      );
      const found = items.find((item) => item.name === name);
      if (found !== undefined) return found;
      if (nextCursor === null) return null;
      cursor = nextCursor;
    }
    return null;
  }

  private async send(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.base}/api${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(this.token === '' ? {} : { authorization: `Bearer ${this.token}` }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    try {
      return { status: response.status, body: text === '' ? null : JSON.parse(text) };
    } catch {
      return { status: response.status, body: null };
    }
  }
}

interface Answer {
  status: number;
  body: unknown;
}

function reasonIn(body: unknown): string {
  const problem = Problem.safeParse(body);
  return (problem.success ? (problem.data.detail ?? problem.data.title) : undefined) ?? 'no reason given';
}

function expectSuccess(what: string, { status, body }: Answer): unknown {
  if (status >= 200 && status < 300) return body;
  throw new AppError('demo.refused', 'operational', `The api did not ${what}: status ${status}, ${reasonIn(body)}.`);
}
