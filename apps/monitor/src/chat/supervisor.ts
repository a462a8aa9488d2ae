import type { ChatStatus } from '#libs/contracts/chat.js';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { AppError } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import type { Clock } from '../capture/clock.js';
import { ChatFeed } from './chat-feed.js';
import type { ChatLane, ChatSource, ChatTarget } from './chat-source.port.js';
import { JoinGate } from './join-gate.js';

/** What the supervisor works with. */
export interface ChatSupervisorParts {
  sources: readonly ChatSource[];
  clock: Clock;
  /** From 0 (included) to 1 (not). */
  random: () => number;
  logger: Logger;
  /** How long a live stream's chat may say nothing, ms. 10 minutes when unset. */
  silentAfterMs?: number;
}

/** How one stream's chat is followed. */
export interface FollowOptions {
  /** Told of every change of state; must not throw. */
  onStatus?: (status: ChatStatus) => void;
  /** Messages that may wait for the reader; 2,000 when unset. */
  queueLimit?: number;
}

/** Every chat that this process follows: one feed per stream, one join budget per platform. */
export class ChatSupervisor {
  private readonly sources: ReadonlyMap<string, ChatSource>;
  private readonly gates: ReadonlyMap<string, JoinGate>;
  private readonly feeds = new Set<ChatFeed>();

  constructor(private readonly parts: ChatSupervisorParts) {
    this.sources = new Map(parts.sources.map((source) => [source.descriptor.id, source]));
    this.gates = new Map(
      parts.sources.flatMap(({ descriptor, joinBudget }) =>
        joinBudget === undefined ? [] : [[descriptor.id, new JoinGate(joinBudget, parts.clock)] as const],
      ),
    );
  }

  /** What can be followed, as it announces itself. */
  get descriptors(): AdapterDescriptor[] {
    return this.parts.sources.map(({ descriptor }) => descriptor);
  }

  /** Finds the platform and the room that a stream's address belongs to; null when it is none we know. */
  locate(url: string): { platform: string; channel: string } | null {
    if (!URL.canParse(url)) return null;
    for (const source of this.parts.sources) {
      const channel = source.channelOf(new URL(url));
      if (channel !== null) return { platform: source.descriptor.id, channel };
    }
    return null;
  }

  /**
   * Starts to follow a chat. The caller reads the feed, and stops it before it closes the lane.
   * @throws AppError `chat.unknown_platform`
   */
  follow(platform: string, target: ChatTarget, lane: ChatLane, options: FollowOptions = {}): ChatFeed {
    const source = this.sources.get(platform);
    if (source === undefined) {
      throw new AppError('chat.unknown_platform', 'user', `There is no chat source named ${platform.slice(0, 40)}.`);
    }
    const { clock, random, logger, silentAfterMs } = this.parts;
    const gate = this.gates.get(platform);
    const feed = new ChatFeed({
      ...{ source, target, lane, clock, random, logger },
      onStopped: (ended) => this.feeds.delete(ended),
      admitted: (signal) => gate?.pass(signal) ?? Promise.resolve(),
      ...(silentAfterMs === undefined ? {} : { silentAfterMs }),
      ...options,
    });
    this.feeds.add(feed);
    return feed;
  }

  /** Ends every feed. */
  async stop(): Promise<void> {
    await Promise.all([...this.feeds].map((feed) => feed.stop()));
  }
}
