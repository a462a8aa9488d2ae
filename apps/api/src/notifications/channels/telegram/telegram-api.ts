import { z } from 'zod';
import { DeliveryFault } from '../channel.port.js';

const Answer = z.object({
  ok: z.boolean(),
  error_code: z.number().int().optional(),
  description: z.string().optional(),
  parameters: z.object({ retry_after: z.number().nonnegative().optional() }).optional(),
  result: z.unknown().optional(),
});
const SentMessage = z.object({ message_id: z.number().int() });

/** The Bot API refused. */
class TelegramFault extends DeliveryFault {
  constructor(message: string, code: number, description: string, pauseSeconds: number | undefined) {
    // 400: no such chat or message; 403: the user has blocked the bot, or is gone. Neither passes by itself.
    const permanent = code === 400 || code === 403;
    super(message, permanent, pauseSeconds === undefined ? null : Math.ceil(pauseSeconds * 1_000), code === 403);
    this.isUpToDate = code === 400 && description.includes('message is not modified');
  }

  /** The message says already what it should. */
  readonly isUpToDate: boolean;
}

/** Every request to the Bot API goes out like this: to the configured server and nowhere else. */
export const telegramFetch = (url: string | URL, init: RequestInit): Promise<Response> =>
  fetch(url, { ...init, redirect: 'error' });

/** The few methods of the Telegram Bot API that channels use: https://core.telegram.org/bots/api. */
export class TelegramApi {
  private readonly base: string;

  constructor(url: string, token: string) {
    this.base = `${url.replace(/\/+$/, '')}/bot${token}/`;
  }

  /** @returns the id of the message. @throws DeliveryFault, without the token. */
  async send(parameters: object, signal: AbortSignal): Promise<number> {
    return SentMessage.parse(await this.post('sendMessage', jsonOf(parameters), signal)).message_id;
  }

  /** @returns the id of the message. @throws DeliveryFault, without the token. */
  async sendPhoto(image: Buffer, parameters: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<number> {
    const form = new FormData();
    for (const [name, value] of Object.entries(parameters)) {
      form.set(name, typeof value === 'string' ? value : JSON.stringify(value));
    }
    form.set('photo', new Blob([new Uint8Array(image)], { type: 'image/jpeg' }), 'evidence.jpg');
    return SentMessage.parse(await this.post('sendPhoto', { body: form }, signal)).message_id;
  }

  /** Asks whether the token is one of a bot. @throws DeliveryFault, without the token. */
  async getMe(signal: AbortSignal): Promise<void> {
    await this.post('getMe', {}, signal);
  }

  /** Changes a message; one that is so already is left alone. @throws DeliveryFault, without the token. */
  async edit(method: 'editMessageText' | 'editMessageCaption', parameters: object, signal: AbortSignal): Promise<void> {
    try {
      await this.post(method, jsonOf(parameters), signal);
    } catch (error) {
      if (!(error instanceof TelegramFault && error.isUpToDate)) throw error;
    }
  }

  private async post(method: string, init: RequestInit, signal: AbortSignal): Promise<unknown> {
    let answer: z.infer<typeof Answer>;
    try {
      const response = await telegramFetch(this.base + method, { ...init, method: 'POST', signal });
      answer = Answer.parse(await response.json());
    } catch {
      // The fault's own text may hold the address, and so the token.
      const late = 'Telegram did not answer in time.';
      throw new DeliveryFault(signal.aborted ? late : 'Telegram cannot be reached, or answers something else.');
    }
    if (answer.ok) return answer.result;
    const { error_code: code = 0, description = '', parameters } = answer;
    const message = `Telegram answered ${String(code)}: ${description.slice(0, 200)}`;
    throw new TelegramFault(message, code, description, parameters?.retry_after);
  }
}

function jsonOf(parameters: object): RequestInit {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(parameters) };
}
