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
type SentMessage = z.infer<typeof SentMessage>;

/** The few methods of the Telegram Bot API that are used: https://core.telegram.org/bots/api. */
export class TelegramApi {
  private readonly base: string;

  constructor(url: string, token: string) {
    this.base = `${url.replace(/\/+$/, '')}/bot${token}/`;
  }

  /** Calls a method that answers with the message it sent. @throws DeliveryFault, without the token. */
  call(method: string, parameters: object, signal: AbortSignal): Promise<SentMessage> {
    const headers = { 'content-type': 'application/json' };
    return this.post(method, { headers, body: JSON.stringify(parameters) }, signal);
  }

  /** @throws DeliveryFault, without the token. */
  sendPhoto(chatId: string, image: Buffer, caption: string, signal: AbortSignal): Promise<SentMessage> {
    const form = new FormData();
    form.set('chat_id', chatId);
    form.set('caption', caption);
    form.set('photo', new Blob([new Uint8Array(image)], { type: 'image/jpeg' }), 'evidence.jpg');
    return this.post('sendPhoto', { body: form }, signal);
  }

  private async post(method: string, init: RequestInit, signal: AbortSignal): Promise<SentMessage> {
    let answer: z.infer<typeof Answer>;
    try {
      const response = await fetch(this.base + method, { ...init, method: 'POST', redirect: 'error', signal });
      answer = Answer.parse(await response.json());
    } catch {
      // The fault's own text may hold the address, and so the token.
      throw new DeliveryFault(
        signal.aborted ? 'Telegram did not answer in time.' : 'Telegram cannot be reached, or answers something else.',
      );
    }
    const sent = SentMessage.safeParse(answer.result);
    if (answer.ok && sent.success) return sent.data;
    const { error_code: code = 0, description = '', parameters } = answer;
    const pause = parameters?.retry_after;
    // 400: no such chat; 403: the user has blocked the bot. Neither passes by itself.
    throw new DeliveryFault(
      `Telegram answered ${String(code)}: ${description.slice(0, 200)}`,
      code === 400 || code === 403,
      pause === undefined ? null : pause * 1_000,
    );
  }
}
