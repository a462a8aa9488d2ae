import { io, type Socket } from 'socket.io-client';
import { z } from 'zod';
import { SessionReport } from '#libs/contracts/monitors.js';
import { DetectionView, StreamStatusEvent, TranscriptView } from '#libs/contracts/sockets.js';
import { AppError } from '#libs/errors/app-error.js';
import { createVigilClient, type VigilClient } from '../../clients/typescript/client.js';
import type { StreamDoing } from './wanted-kinds.js';

const Login = z.object({ accessToken: z.string() });
const Problem = z.object({ detail: z.string().optional(), title: z.string().optional() });
const ChatPlace = z.object({ platform: z.string(), channel: z.string() });
const StreamItem = z.object({
  ...{ id: z.string(), name: z.string(), url: z.string().nullish() },
  chat: ChatPlace.nullish(),
});
const StreamPage = z.object({ items: z.array(StreamItem), nextCursor: z.string().nullable() });
type StreamItem = z.infer<typeof StreamItem>;
const Doing = z.object({
  status: z.object({ status: z.string(), detail: z.string() }),
  session: SessionReport.pick({ parts: true }).nullable(),
});

/** The stream that the demo watches. */
interface DemoStream {
  name: string;
  url: string;
  /** Where its chat is; null when it has none. */
  chat: z.infer<typeof ChatPlace> | null;
}

/** What the demo hears over Socket.IO. */
interface DemoListeners {
  detection: (detection: DetectionView) => void;
  transcript?: (transcript: TranscriptView) => void;
  status?: (status: StreamStatusEvent) => void;
}

/** The few calls to the api that the demo makes, with no more rights than other clients have. */
export class DemoClient {
  /** The typed client, signed in as the same account. */
  readonly vigil: VigilClient;
  private token = '';

  constructor(
    private readonly base: string,
    private readonly account: { username: string; password: string },
  ) {
    this.vigil = createVigilClient(base, () => (this.token === '' ? null : this.token));
  }

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
    await this.ensure('put an object on the watch list', '/objects', rule);
  }

  /** Has a phrase looked for in chat and in speech; one that is there already stays as it is. */
  async listenFor(keyword: { label: string; pattern: string; severity: string }): Promise<void> {
    await this.ensure('take a keyword', '/keywords', { ...keyword, appliesTo: 'both', cooldownMs: 0 });
  }

  /** Has a signal told each time it occurs. */
  async tellOf(signal: string): Promise<void> {
    const body = { enabled: true, severity: 'medium', cooldownMs: 0 };
    expectSuccess('tell of a signal', await this.send('PATCH', `/signals/${signal}`, body));
  }

  /** The stream of that name, as it should be: made, corrected, or found so. */
  async ensureStream({ name, url, chat }: DemoStream): Promise<string> {
    const found = await this.findStream(name);
    const source = { url, chat: chat === null ? null : { ...chat, options: {} } };
    if (found === null) {
      const answer = await this.send('POST', '/streams', { name, platform: 'url', ...source });
      return StreamItem.parse(expectSuccess('make the stream', answer)).id;
    }
    const sameChat = found.chat?.platform === chat?.platform && found.chat?.channel === chat?.channel;
    if (found.url !== url || !sameChat) {
      expectSuccess('correct the stream', await this.send('PATCH', `/streams/${found.id}`, source));
    }
    return found.id;
  }

  /** How a stream and the parts of its session are doing; null when the api does not say. */
  async doing(streamId: string): Promise<StreamDoing | null> {
    const path = `/monitor/detection-status/${streamId}`;
    const answer = await this.asking(() => this.send('GET', path)).catch(() => null);
    const doing = Doing.safeParse(answer?.body);
    if (!doing.success) return null;
    const { status, session } = doing.data;
    const words = status.detail === '' ? status.status : `${status.status} (${status.detail})`;
    return { status: words, parts: session?.parts ?? null };
  }

  /** Has the stream watched; one that is being watched already stays so. */
  async startMonitoring(streamId: string): Promise<void> {
    const answer = await this.send('POST', `/monitoring/stream/${streamId}/start`);
    if (answer.status !== 409) expectSuccess('start monitoring', answer);
  }

  /** Listens for events; logs in anew for each connection, since tokens expire. */
  listen({ detection, transcript, status }: DemoListeners): Socket {
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
    socket.on('transcript', (payload: unknown) => {
      const parsed = TranscriptView.safeParse(payload);
      if (parsed.success) transcript?.(parsed.data);
    });
    socket.on('stream_status', (payload: unknown) => {
      const parsed = StreamStatusEvent.safeParse(payload);
      if (parsed.success) status?.(parsed.data);
    });
    return socket;
  }

  /** Absolute address of what was kept of a detection: its image with the boxes drawn, or its sound; null for none. */
  evidenceUrl({ imageUrl, clipUrl }: DetectionView): string | null {
    const path = imageUrl ?? clipUrl;
    if (path === null) return null;
    const url = new URL(path, this.base);
    if (imageUrl !== null) url.searchParams.set('boxes', '1');
    return url.href;
  }

  /** Makes something unless it is there. */
  private async ensure(what: string, path: string, body: unknown): Promise<void> {
    const answer = await this.send('POST', path, body);
    if (answer.status !== 409) expectSuccess(what, answer);
  }

  /** Asks, and once more with a new token when the old one has expired. */
  private async asking(ask: () => Promise<Answer>): Promise<Answer> {
    const answer = await ask();
    if (answer.status !== 401) return answer;
    await this.login();
    return ask();
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
