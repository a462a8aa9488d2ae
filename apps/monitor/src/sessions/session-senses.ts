import type { CaptureJob, SignalRule } from '#libs/contracts/captures.js';
import type { PartReport, SessionReport } from '#libs/contracts/monitors.js';
import type { Signal } from '#libs/contracts/primitives.js';
import type { Logger } from '#libs/observability/logger.js';
import type { KeywordWatch } from '../detectors/phrases/keyword-watch.js';
import type { FindingSink } from '../pipeline/finding.types.js';
import { Cooldowns } from '../pipeline/cooldowns.js';
import type { SpeechDesk } from '../speech/speech-desk.js';
import type { Voice } from '../speech/stream-ear.js';
import { ChatWatch, type ChatMoodReader, type ChatWatchParts } from './chat-watch.js';
import { Findings } from './findings.js';
import { PartState } from './part-state.js';
import { SignalDesk } from './signal-desk.js';
import { SoundWatch } from './sound-watch.js';
import type { StreamClock } from './stream-clock.js';

/** What hearing and reading a stream takes, beside the picture. */
export interface SensesParts {
  /** Null when sound is not listened to. */
  hearing: { voice: Voice; speech: SpeechDesk } | null;
  /** Null when chat is not read. */
  reading: (Pick<ChatWatchParts, 'chats' | 'openLane' | 'pushes'> & { mood?: () => ChatMoodReader }) | null;
  keywords: Pick<KeywordWatch, 'inChat' | 'inSpeech'>;
  /** How a signal is told; null when it is not. */
  signalRule: (signal: Signal) => SignalRule | null;
  sink: FindingSink;
}

/** What a session hears and reads: the watches of its sound and its chat, and what both share. */
export class SessionSenses {
  /** Null when the sound, or the chat, is not watched. */
  readonly sound: SoundWatch | null;
  readonly chat: ChatWatch | null;
  private readonly findings: Findings;
  private readonly off: PartState;

  constructor(
    job: CaptureJob,
    session: number,
    parts: SensesParts,
    shared: { clock: StreamClock; now: () => number; logger: Logger; onChatState: (report: PartReport) => void },
  ) {
    const { clock, now, logger, onChatState: onState } = shared;
    const { hearing, reading, keywords, signalRule } = parts;
    const cooldowns = new Cooldowns();
    const findings = new Findings(parts.sink, logger);
    const signals = new SignalDesk({ streamId: job.streamId, session }, signalRule, cooldowns, findings);
    const common = { keywords, cooldowns, findings, signals, now };
    this.findings = findings;
    this.off = new PartState(now, false);
    const hears = hearing !== null && job.parts.includes('audio');
    const reads = reading !== null && job.parts.includes('chat');
    this.sound = hears ? new SoundWatch(job, session, { ...common, ...hearing, clock }) : null;
    const mood = reading?.mood?.() ?? null;
    this.chat = reads ? new ChatWatch(job, { ...common, ...reading, mood, logger, onState }) : null;
  }

  /** The part of a report that is about sound and chat. */
  report(): Pick<SessionReport, 'sound' | 'chat' | 'findingsDropped'> & {
    parts: Pick<SessionReport['parts'], 'audio' | 'speech' | 'chat'>;
  } {
    const { sound, chat, off, findings } = this;
    return {
      parts: {
        audio: sound?.audio.report() ?? off.report(),
        speech: sound?.speechReport() ?? off.report(),
        chat: chat?.part.report() ?? off.report(),
      },
      sound: sound?.figures() ?? null,
      chat: chat?.figures() ?? null,
      findingsDropped: findings.dropped,
    };
  }

  /** The session is over, its capture and its chat too. @param wait for what was said last, ms */
  async end(wait: number): Promise<void> {
    await this.sound?.end(wait);
    await this.findings.settled();
  }
}
