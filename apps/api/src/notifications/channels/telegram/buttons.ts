import { z } from 'zod';
import { Verdict } from '../../../reviews/reviews.dto.js';

/** What a button under a message does. */
export type Button =
  | { act: 'acknowledge'; notificationId: string }
  | { act: 'verdict'; verdict: Verdict; detectionId: string }
  | { act: 'monitor'; on: boolean; streamId: string };

/** What the Bot API carries for a button: 64 bytes at most. Whoever speaks as Telegram may send anything. */
const ButtonData = z
  .string()
  .max(64)
  .transform((text) => text.split(':'))
  .pipe(
    z.union([
      z.tuple([z.literal('a'), z.uuid()]),
      z.tuple([z.literal('v'), Verdict, z.uuid()]),
      z.tuple([z.literal('m'), z.enum(['start', 'stop']), z.uuid()]),
    ]),
  );

/** A button as data for the Bot API. */
export function dataOf(button: Button): string {
  switch (button.act) {
    case 'acknowledge':
      return `a:${button.notificationId}`;
    case 'verdict':
      return `v:${button.verdict}:${button.detectionId}`;
    case 'monitor':
      return `m:${button.on ? 'start' : 'stop'}:${button.streamId}`;
  }
}

/** The button that was pressed; null for what is none of ours. */
export function buttonOf(data: unknown): Button | null {
  const parsed = ButtonData.safeParse(data);
  if (!parsed.success) return null;
  const [act, first, second] = parsed.data;
  if (act === 'a') return { act: 'acknowledge', notificationId: first };
  if (act === 'v') return { act: 'verdict', verdict: first, detectionId: second };
  return { act: 'monitor', on: first === 'start', streamId: second };
}

/** A button of a keyboard, as the Bot API takes it. */
export interface KeyboardButton {
  text: string;
  callback_data: string;
}

export const keyboardButton = (text: string, button: Button): KeyboardButton => ({
  text,
  callback_data: dataOf(button),
});
