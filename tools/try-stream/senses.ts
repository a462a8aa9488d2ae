import { z } from 'zod';
import type { monitorSettings } from '#libs/config/shared.settings.js';
import type { Values } from '#libs/config/settings.js';
import { AppError } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { systemClock } from '../../apps/monitor/src/capture/clock.js';
import { CHAT_LANE_LIMITS } from '../../apps/monitor/src/chat/chat-source.port.js';
import { PUBLIC_CHAT_SERVERS, registerChatSources } from '../../apps/monitor/src/chat/registry.js';
import { ChatSupervisor } from '../../apps/monitor/src/chat/supervisor.js';
import { KeywordWatch } from '../../apps/monitor/src/detectors/phrases/keyword-watch.js';
import { ChatMood } from '../../apps/monitor/src/detectors/sentiment/chat-mood.js';
import { createAsrEngine } from '../../apps/monitor/src/detectors/whisper/create-engine.js';
import { SpeechWay } from '../../apps/monitor/src/detectors/whisper/speech-way.js';
import type { EgressProxy } from '../../apps/monitor/src/egress/egress-proxy.js';
import { VoiceDetector } from '../../apps/monitor/src/inference/voice-detector.js';
import type { FindingSink } from '../../apps/monitor/src/pipeline/finding.types.js';
import type { SensesParts } from '../../apps/monitor/src/sessions/session-senses.js';
import { SpeechDesk } from '../../apps/monitor/src/speech/speech-desk.js';
import type { Request } from './arguments.js';

/** A file is read faster than it is spoken: nothing is given up for being late, only for being too much. */
const QUEUE = { maxLagMs: 3_600_000, maxWaiting: 256, maxSoundMs: 600_000 };
const IrcUrl = z.url({ protocol: /^wss?$/ });

/** What hears and reads one stream; each part ends with {@link end}. */
export class Senses {
  private readonly endings: (() => Promise<unknown>)[] = [];

  constructor(
    private readonly request: Request,
    private readonly settings: Values<typeof monitorSettings>,
    private readonly egress: EgressProxy,
    private readonly logger: Logger,
  ) {}

  /**
   * What a session needs; ready to hear when this resolves.
   * @throws AppError `usage`
   */
  async parts(streamId: string, sink: FindingSink): Promise<SensesParts> {
    const { request, egress, logger } = this;
    const keywords = this.own(new KeywordWatch(logger), (it) => it.stop());
    keywords.update(request.keywords);
    await keywords.settled();
    if (request.keywords.length > 0) process.stderr.write(`${keywords.state().detail}\n`);
    const hearing = request.parts.includes('audio') ? await this.hearing() : null;
    const reading: SensesParts['reading'] = request.parts.includes('chat')
      ? {
          ...{ chats: this.chats(), pushes: null, mood: () => new ChatMood() },
          openLane: (platform) => egress.open(streamId, CHAT_LANE_LIMITS, { platform }),
        }
      : null;
    const signalRule: SensesParts['signalRule'] = (signal) => ({ signal, severity: 'medium', cooldownMs: 0 });
    return { hearing, reading, keywords, signalRule, sink };
  }

  /** Ends every part, the last first. */
  async end(): Promise<void> {
    for (let end = this.endings.pop(); end !== undefined; end = this.endings.pop()) await end();
  }

  private async hearing(): Promise<NonNullable<SensesParts['hearing']>> {
    const { settings } = this;
    const serverUrl = settings.SPEECH_SERVER_URL;
    const way = serverUrl === undefined ? null : this.own(await SpeechWay.open(serverUrl), (it) => it.close());
    const engine = createAsrEngine({
      ...{ serverUrl, serverKey: settings.SPEECH_SERVER_KEY, model: settings.SPEECH_MODEL },
      ...{ modelsDir: settings.MODELS_DIR, language: settings.SPEECH_LANGUAGE, threads: settings.SPEECH_THREADS },
      ...(way === null ? {} : { fetch: (url: URL, init: RequestInit) => way.fetch(url, init) }),
    });
    const voice = this.own(new VoiceDetector(), (it) => it.stop());
    const speech = this.own(new SpeechDesk(engine, QUEUE), (it) => it.stop());
    // Without them dead air and the like are still heard, and what is missing is said.
    const noVoice = voice.start().catch((error: unknown) => void process.stderr.write(`${String(error)}\n`));
    speech.start();
    await Promise.all([engine.start(), noVoice]);
    process.stderr.write(`${speech.state().detail}\n`);
    return { voice, speech };
  }

  private chats(): ChatSupervisor {
    const twitchIrc = IrcUrl.safeParse(this.request.twitchIrc ?? this.settings.TWITCH_IRC_URL);
    if (!twitchIrc.success) throw new AppError('usage', 'user', '--twitch-irc is not a ws:// or wss:// address.');
    const sources = registerChatSources({ ...PUBLIC_CHAT_SERVERS, twitchIrc: twitchIrc.data });
    const parts = { sources, clock: systemClock, random: Math.random, logger: this.logger };
    return this.own(new ChatSupervisor(parts), (it) => it.stop());
  }

  private own<T>(part: T, end: (part: T) => Promise<unknown>): T {
    this.endings.push(() => end(part));
    return part;
  }
}
