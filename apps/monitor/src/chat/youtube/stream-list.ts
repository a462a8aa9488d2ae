import { Client, credentials, logVerbosity, Metadata, setLogVerbosity, status, type ServiceError } from '@grpc/grpc-js';
import { fromJSON, type MethodDefinition } from '@grpc/proto-loader';
import { z } from 'zod';
import { ChatError, type ChatLink } from '../chat-source.port.js';
import { pause } from '../polling.js';
import { chatEnded, keyRefused, passItems, quotaSpent } from './data-api.js';
import { STREAM_LIST, STREAM_LIST_PATH } from './stream-list.proto.js';
import { CHAT_ENDED, typeOf } from './youtube-item.js';

/** Where the Data API pushes. */
export interface StreamListServer {
  /** Origin, https. */
  url: string;
  /** How often we look whether the server is there still, and how long it may take to answer. */
  pulse: { everyMs: number; deadMs: number };
  /** Further certificate authorities, PEM. Certificates are verified with or without. */
  ca?: string;
}

/** Whose chat, by which key. */
export interface StreamListRoom {
  liveChatId: string;
  apiKey: string;
  /** Least time between two openings, ms: each costs what a poll costs. */
  leastPollMs: number;
}

/** What one message of the push holds. */
export const StreamListResponse = z.object({
  items: z.array(z.unknown()).max(2_000).catch([]),
  nextPageToken: z.string().max(2_000).optional().catch(undefined),
  offlineAt: z.string().optional().catch(undefined),
});
const Coded = z.object({ code: z.number(), details: z.string().optional() });

const MESSAGE_LIMIT = 2 * 2 ** 20;
/** From the dial to the first word of the server. */
const OPEN_MS = 15_000;
/** After so many items in one turn of the event loop the stream rests until the next. */
const ITEMS_PER_TURN = 250;

// It writes to the standard error otherwise.
setLogVerbosity(logVerbosity.NONE);

const definition = fromJSON(STREAM_LIST, { longs: String, enums: String }).Service;
const { requestSerialize, responseDeserialize } = (definition as { StreamList: MethodDefinition<object, object> })
  .StreamList;

/**
 * Reads a chat as the YouTube Data API pushes it (gRPC, `liveChatMessages.streamList`) until the signal aborts. The
 * server ends such a stream whenever it likes; it is opened anew where it ended.
 * @returns false when the push is not to be had at all, so that polling may be tried
 * @throws ChatError
 */
export async function readStreamList(
  room: StreamListRoom,
  server: StreamListServer,
  link: ChatLink,
  signal: AbortSignal,
): Promise<boolean> {
  const client = clientOf(server, link.lane.proxyUrl);
  try {
    for (let heard = false; !signal.aborted; heard = true) {
      const openedAt = link.clock.now();
      const end = await new Stream(client, room, link).read(signal);
      if (signal.aborted) break;
      if (!heard && !end.heard) return false;
      if (end.error !== null) throw end.error;
      await pause(link, openedAt + room.leastPollMs - link.clock.now(), signal);
    }
    return true;
  } finally {
    client.close();
  }
}

/** One stream, from its opening to its end. */
class Stream {
  private heard = false;
  private items = 0;
  private over: ChatError | null = null;

  constructor(
    private readonly client: Client,
    private readonly room: StreamListRoom,
    private readonly link: ChatLink,
  ) {}

  /** Never rejects. */
  read(signal: AbortSignal): Promise<{ heard: boolean; error: ChatError | null }> {
    const { liveChatId, apiKey } = this.room;
    const { bookmark, clock } = this.link;
    const metadata = new Metadata();
    metadata.set('x-goog-api-key', apiKey);
    const asked = {
      ...{ liveChatId, part: ['id', 'snippet', 'authorDetails'] },
      ...(bookmark === null ? {} : { pageToken: bookmark }),
    };
    const call = this.client.makeServerStreamRequest(STREAM_LIST_PATH, requestSerialize, responseOf, asked, metadata);
    const stopWaiting = clock.after(OPEN_MS, () => call.cancel());
    const onAbort = (): void => call.cancel();
    signal.addEventListener('abort', onAbort, { once: true });
    return new Promise((resolve) => {
      const end = (error: ChatError | null): void => {
        stopWaiting();
        signal.removeEventListener('abort', onAbort);
        resolve({ heard: this.heard, error: this.over ?? error });
      };
      const live = (): void => {
        this.heard = true;
        stopWaiting();
        this.link.live();
      };
      call.on('data', (response: unknown) => {
        if (this.over !== null) return;
        live();
        this.over = this.take(response);
        if (this.over !== null) call.cancel();
        else if (this.items >= ITEMS_PER_TURN) {
          this.items = 0;
          call.pause();
          setImmediate(() => call.resume());
        }
      });
      // Both follow every call, in this order.
      call.on('error', (error: ServiceError) => end(failureOf(error, this.link)));
      call.on('end', () => end(null));
    });
  }

  /** @returns why there is nothing more to read; null when there is */
  private take(response: unknown): ChatError | null {
    const { data } = StreamListResponse.safeParse(response);
    if (data === undefined) {
      this.link.garbage();
      return null;
    }
    const items = itemsOf(data);
    this.items += 1 + items.length;
    passItems(items, this.link);
    if (data.nextPageToken !== undefined) this.link.bookmark = data.nextPageToken;
    const isOver = data.offlineAt !== undefined || items.some((item) => typeOf(item) === CHAT_ENDED);
    return isOver ? chatEnded(this.link) : null;
  }
}

/** A client whose only way out is the lane: the tunnel is asked of its proxy, TLS ends at the server. */
function clientOf({ url, pulse, ca }: StreamListServer, proxyUrl: string): Client {
  const { hostname, port } = new URL(url);
  const proxy = new URL(proxyUrl);
  return new Client(
    `ipv4:${proxy.hostname}:${proxy.port}`,
    // Said outright: an environment variable can turn the default off.
    credentials.createSsl(ca === undefined ? null : Buffer.from(ca), null, null, { rejectUnauthorized: true }),
    {
      'grpc.http_connect_target': `dns:${hostname}:${port === '' ? 443 : port}`,
      'grpc.default_authority': hostname,
      'grpc.enable_http_proxy': 0,
      // Whoever supervises us decides when to try again.
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': MESSAGE_LIMIT,
      'grpc.keepalive_time_ms': pulse.everyMs,
      'grpc.keepalive_timeout_ms': pulse.deadMs,
    },
  );
}

/** Decodes one message of the push. @throws Error when the bytes are none */
export function responseOf(bytes: Buffer): object {
  return responseDeserialize(bytes);
}

/** The items of a message in the words of the REST API, whose reader then reads them. */
export function itemsOf({ items }: z.infer<typeof StreamListResponse>): unknown[] {
  return items.map(asOfRest);
}

function asOfRest(item: unknown): unknown {
  const { data } = Typed.safeParse(item);
  if (data === undefined) return item;
  const type = data.snippet.type.toLowerCase().replace(/_([a-z])/g, (_whole, letter: string) => letter.toUpperCase());
  return { ...data, snippet: { ...data.snippet, type } };
}

const Typed = z.looseObject({ snippet: z.looseObject({ type: z.string().max(100) }) });

/** Codes as "LiveChatMessages: streamList" lists them. */
function failureOf(error: ServiceError, link: ChatLink): ChatError {
  const { code, details = '' } = Coded.safeParse(error).data ?? { code: Number(status.UNKNOWN) };
  switch (status[code] ?? '') {
    case 'UNAUTHENTICATED':
    case 'PERMISSION_DENIED':
      return keyRefused();
    case 'FAILED_PRECONDITION':
      return chatEnded(link);
    case 'NOT_FOUND':
      link.bookmark = null;
      return new ChatError('offline', 'The YouTube video has no live chat now.');
    case 'RESOURCE_EXHAUSTED':
      if (/quota/i.test(details)) return quotaSpent();
      return new ChatError('lost', 'YouTube asks us to slow down.', { afterMs: 10_000 });
    case 'INVALID_ARGUMENT':
      // A page token that is no longer known would fail for ever.
      link.bookmark = null;
      break;
    case 'INTERNAL':
      link.garbage();
      break;
    default:
  }
  return new ChatError('lost', `YouTube ended the chat stream (${code}).`);
}
