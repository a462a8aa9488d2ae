import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

/** How the next call that sends, edits or answers is answered. */
export type TelegramScript =
  | { code: number; description: string; retryAfter?: number }
  /** The connection is cut in place of an answer; `taken` has the call done all the same. */
  | { drop: true; taken?: boolean }
  /** It is done at once, and answered late. */
  | { delayMs: number };

/** A call of a method. */
export interface TelegramCall {
  method: string;
  body: string;
  parameters: Readonly<Record<string, unknown>>;
  at: number;
}

/** A message as its chat shows it now. */
export interface ShownMessage {
  id: number;
  chatId: string;
  photo: boolean;
  text: string;
  buttons: readonly { text: string; data: string }[];
  edits: number;
}

const Keyboard = z
  .object({ inline_keyboard: z.array(z.array(z.object({ text: z.string(), callback_data: z.string() }))) })
  .catch({ inline_keyboard: [] });

/** A call that was begun before this long after a refusal may have been on its way already, ms. */
const ON_ITS_WAY_MS = 100;

/** What the bot's user is called. */
export const BOT_NAME = 'vigil_test_bot';

/** The Telegram Bot API on loopback, as far as Vigil speaks it, with chats that people write to. */
export class TelegramServer {
  /** Calls that send, edit or answer. */
  readonly calls: TelegramCall[] = [];
  readonly script: TelegramScript[] = [];
  /** Calls that came while a pause was on that had been asked for. */
  readonly early: TelegramCall[] = [];
  /** Chats whose people have blocked the bot. */
  readonly blocked = new Set<string>();
  /** Processes that asked for updates while another did. */
  conflicts = 0;
  /** Calls for updates so far. */
  polls = 0;
  /** Where updates are pushed to; null while they are asked for. */
  webhook: { url: string; secret: string } | null = null;
  private readonly messages = new Map<string, ShownMessage>();
  private readonly updates: { update_id: number }[] = [];
  private sent = 0;
  private updateId = 1_000;
  private pause = { from: 0, until: 0 };
  private asking: ServerResponse | null = null;
  private wake: () => void = () => undefined;

  private constructor(
    private readonly server: Server,
    /** The token that it answers to. */
    readonly token: string,
  ) {}

  static async start(token = '123456:abcdefghijklmnopqrstuvwxyz'): Promise<TelegramServer> {
    const server = createServer();
    const telegram = new TelegramServer(server, token);
    server.on('request', (request, response) => {
      request.on('error', () => undefined);
      response.on('error', () => undefined);
      void telegram.take(request, response).catch(() => request.socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return telegram;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** What a chat shows, oldest first. */
  chat(chatId: number | string): ShownMessage[] {
    return [...this.messages.values()].filter((message) => message.chatId === String(chatId));
  }

  /** Somebody writes to the bot, in private unless a group is named. */
  write(userId: number, text: string, group?: number): void {
    const command = /^\/\w+/.exec(text)?.[0];
    const chat = group === undefined ? { id: userId, type: 'private' } : { id: group, type: 'group', title: 'A group' };
    this.update({
      message: {
        ...{ message_id: (this.sent += 1), date: seconds(), text, chat, from: person(userId) },
        ...(command === undefined ? {} : { entities: [{ type: 'bot_command', offset: 0, length: command.length }] }),
      },
    });
  }

  /** Somebody presses a button, or sends what a button would. */
  press(userId: number, data: string, message = 1): void {
    const chat = { id: userId, type: 'private' };
    this.update({
      callback_query: {
        ...{ id: String(this.updateId), from: person(userId), chat_instance: '1', data },
        message: { message_id: message, date: seconds(), chat, text: '…' },
      },
    });
  }

  /** Whatever the Bot API might tell. */
  update(content: object): void {
    this.updateId += 1;
    this.updates.push({ update_id: this.updateId, ...content });
    this.wake();
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const [, given, method = ''] = /^\/bot([^/]+)\/(\w+)$/.exec(request.url ?? '') ?? [];
    const parameters = await parametersOf(request.headers['content-type'] ?? '', bytes);
    if (given !== this.token) return answer(response, failure(401, 'Unauthorized'));
    if (method === 'getUpdates') return this.poll(parameters, response);
    const plain = this.plain(method, parameters);
    if (plain !== undefined) return answer(response, { ok: true, result: plain });
    const call = { method, body: bytes.toString('utf8'), parameters, at: Date.now() };
    this.calls.push(call);
    return this.perform(call, request, response);
  }

  private async perform(call: TelegramCall, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (call.at < this.pause.until) {
      if (call.at > this.pause.from + ON_ITS_WAY_MS) this.early.push(call);
      const left = Math.ceil((this.pause.until - call.at) / 1_000);
      return answer(response, failure(429, `Too Many Requests: retry after ${String(left)}`, left));
    }
    const script = this.script.shift();
    if (script !== undefined && 'code' in script) {
      const { code, description, retryAfter } = script;
      if (retryAfter !== undefined) this.pause = { from: Date.now(), until: Date.now() + retryAfter * 1_000 };
      return answer(response, failure(code, description, retryAfter));
    }
    if (script !== undefined && 'drop' in script) {
      if (script.taken === true) this.done(call);
      request.socket.destroy();
      return;
    }
    const done = this.done(call);
    if (script !== undefined) await sleep(script.delayMs, undefined, { ref: false });
    return answer(response, done);
  }

  /** What is neither scripted nor counted. */
  private plain(method: string, parameters: Readonly<Record<string, unknown>>): unknown {
    switch (method) {
      case 'getMe':
        return { id: 123_456, is_bot: true, first_name: 'Vigil', username: BOT_NAME };
      case 'setMyCommands':
        return true;
      case 'deleteWebhook':
        this.webhook = null;
        return true;
      case 'setWebhook':
        this.webhook = { url: String(parameters['url']), secret: textOf(parameters['secret_token']) };
        return true;
      default:
        return undefined;
    }
  }

  private async poll(parameters: Readonly<Record<string, unknown>>, response: ServerResponse): Promise<void> {
    this.polls += 1;
    if (this.asking !== null) {
      this.conflicts += 1;
      answer(this.asking, failure(409, 'Conflict: terminated by other getUpdates request'));
    }
    this.asking = response;
    response.on('close', () => {
      if (this.asking === response) this.asking = null;
    });
    const offset = Number(parameters['offset'] ?? 0);
    while (this.updates[0] !== undefined && this.updates[0].update_id < offset) this.updates.shift();
    const patience = sleep(Number(parameters['timeout'] ?? 0) * 1_000, undefined, { ref: false });
    if (this.updates.length === 0) {
      await Promise.race([patience, new Promise<void>((resolve) => (this.wake = resolve))]);
    }
    if (this.asking !== response) return;
    this.asking = null;
    answer(response, { ok: true, result: this.updates.slice(0, 100) });
  }

  private done({ method, parameters }: TelegramCall): object {
    const chatId = textOf(parameters['chat_id']);
    if (this.blocked.has(chatId)) return failure(403, 'Forbidden: bot was blocked by the user');
    switch (method) {
      case 'sendMessage':
      case 'sendPhoto': {
        const id = (this.sent += 1);
        const photo = method === 'sendPhoto';
        this.messages.set(`${chatId}/${String(id)}`, { id, chatId, photo, ...faceOf(parameters), edits: 0 });
        return { ok: true, result: { message_id: id, date: seconds(), chat: { id: Number(chatId), type: 'private' } } };
      }
      case 'editMessageText':
      case 'editMessageCaption':
        return this.edited(
          `${chatId}/${String(parameters['message_id'])}`,
          method === 'editMessageCaption',
          parameters,
        );
      case 'answerCallbackQuery':
        return { ok: true, result: true };
      default:
        return failure(404, 'Not Found: method not found');
    }
  }

  private edited(key: string, photo: boolean, parameters: Readonly<Record<string, unknown>>): object {
    const shown = this.messages.get(key);
    if (shown?.photo !== photo) return failure(400, 'Bad Request: message to edit not found');
    const face = faceOf(parameters);
    if (JSON.stringify(face) === JSON.stringify({ text: shown.text, buttons: shown.buttons })) {
      return failure(400, 'Bad Request: message is not modified: specified new message content is the same');
    }
    this.messages.set(key, { ...shown, ...face, edits: shown.edits + 1 });
    return { ok: true, result: true };
  }
}

/** A parameter as text: in JSON it may be a number, in a form it never is. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function faceOf(parameters: Readonly<Record<string, unknown>>): Pick<ShownMessage, 'text' | 'buttons'> {
  const { inline_keyboard: rows } = Keyboard.parse(parameters['reply_markup']);
  return {
    text: textOf(parameters['text'] ?? parameters['caption']),
    buttons: rows.flat().map(({ text, callback_data: data }) => ({ text, data })),
  };
}

async function parametersOf(type: string, bytes: Buffer): Promise<Readonly<Record<string, unknown>>> {
  if (bytes.length === 0) return {};
  if (!type.startsWith('multipart/'))
    return z.record(z.string(), z.unknown()).parse(JSON.parse(bytes.toString('utf8')));
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData();
  const fields = [...form].map(([name, value]) => [name, typeof value === 'string' ? value : '…'] as const);
  return Object.fromEntries(
    fields.map(([name, value]) => [name, name === 'reply_markup' ? (JSON.parse(value) as unknown) : value]),
  );
}

function answer(response: ServerResponse, content: object): void {
  const code = 'error_code' in content ? Number(content.error_code) : 200;
  if (!response.headersSent) {
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(content));
  }
}

function failure(code: number, description: string, retryAfter?: number): object {
  return {
    ...{ ok: false, error_code: code, description },
    ...(retryAfter === undefined ? {} : { parameters: { retry_after: retryAfter } }),
  };
}

const seconds = (): number => Math.floor(Date.now() / 1_000);

const person = (id: number): object => ({ id, is_bot: false, first_name: 'Somebody' });
