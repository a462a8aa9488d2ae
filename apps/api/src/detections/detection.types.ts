import type { ChatLine } from '#libs/contracts/chat.js';

/** A line of chat with what was written before and after it, oldest first. */
export interface ChatAround {
  /** Null for a signal of the whole room. */
  message: ChatLine | null;
  before: ChatLine[];
  after: ChatLine[];
}
