import type { CaptureJob } from '#libs/contracts/captures.js';
import type { PartReport, SessionReport } from '#libs/contracts/monitors.js';
import type { SoundChunk } from '../capture/sound-chunks.js';
import type { KeywordHit, KeywordWatch } from '../detectors/phrases/keyword-watch.js';
import type { SoundEvent } from '../detectors/sound/sound-rules.js';
import type { Cooldowns } from '../pipeline/cooldowns.js';
import { nameBasedId } from '../pipeline/event-id.js';
import { languageCode } from '#libs/phrases/language.js';
import { LanguageVote } from '../speech/language-vote.js';
import type { SpeechDesk, SpeechSeat } from '../speech/speech-desk.js';
import type { Voice } from '../speech/stream-ear.js';
import { StreamListener } from '../speech/stream-listener.js';
import type { TranscriptSegment } from '../speech/transcriber.js';
import type { Findings } from './findings.js';
import { PartState } from './part-state.js';
import type { SignalDesk } from './signal-desk.js';
import type { StreamClock } from './stream-clock.js';

/** Longest transcript and quote that the contract takes, UTF-16 units. */
const [LONGEST_TEXT, LONGEST_QUOTE] = [4_000, 8_192];
/** Pictures that bring no sound over so much stream time: the stream has none, ms. */
const SILENT_SOURCE_MS = 5_000;
/** Speech that was given up makes the part degraded for so long, ms. */
const BEHIND_MS = 60_000;
/** A chunk of sound, ms. */
const CHUNK_MS = 100;

/** What listening to a stream takes. */
export interface SoundWatchParts {
  voice: Voice;
  speech: SpeechDesk;
  keywords: Pick<KeywordWatch, 'inSpeech'>;
  cooldowns: Cooldowns;
  findings: Findings;
  signals: SignalDesk;
  clock: StreamClock;
  now: () => number;
}

/** Listens to one stream: sound rules, speech, and the keywords in it. Lives across restarts of the capture. */
export class SoundWatch {
  /** How the sound is doing. */
  readonly audio: PartState;
  private readonly speech: PartState;
  private readonly listener: StreamListener;
  private readonly seat: SpeechSeat;
  private readonly vote = new LanguageVote();
  private segments = 0;
  private chunksLost = 0;
  private dropped = { ms: 0, at: Number.NEGATIVE_INFINITY };
  private runStartMs: number | null = null;
  private lastMs = 0;

  constructor(
    private readonly job: CaptureJob,
    private readonly session: number,
    private readonly parts: SoundWatchParts,
  ) {
    const { streamId } = job;
    this.audio = new PartState(parts.now, true);
    this.speech = new PartState(parts.now, true);
    this.seat = parts.speech.seat(streamId, (segment) => this.written(segment));
    this.listener = new StreamListener({
      ...{ streamId, voice: parts.voice },
      onSound: (event) => this.heard(event),
      onUtterance: (utterance) => this.seat.offer(utterance),
    });
  }

  /** Listens to one run of the capture, to its end. Call before the first {@link sync} of the run. */
  listen(sound: AsyncIterable<SoundChunk>): Promise<void> {
    this.runStartMs = null;
    return this.listener.listen(sound);
  }

  /** Resolves once what has come was heard. */
  caughtUp(): Promise<void> {
    return this.listener.caughtUp();
  }

  /** Tells where a picture stands in the source's clock and in the stream's. Call for every picture. */
  sync(ptsMs: number, streamTimeMs: number): void {
    this.runStartMs ??= streamTimeMs;
    this.lastMs = streamTimeMs;
    this.listener.sync(ptsMs, streamTimeMs);
    const { heardMs, unheardMs, open } = this.listener.figures();
    if (heardMs === 0 && streamTimeMs - this.runStartMs >= SILENT_SOURCE_MS) {
      this.audio.set('off', 'The stream has no sound.');
    } else if (heardMs === 0) this.audio.set('starting', 'No sound has come yet.');
    else if (open.includes('audio_lost')) this.audio.set('degraded', 'The stream sends no sound any more.');
    else if (unheardMs > heardMs / 2) {
      this.audio.set('degraded', 'The voice detector fails: speech is not found. Dead air and the like are.');
    } else this.audio.set('live');
  }

  /** Sound of a run that nobody took in time. @param chunks those of the run */
  lost(chunks: number): void {
    this.chunksLost += chunks;
  }

  /** The session is over. @param wait how long the engine may take for what was said last, ms */
  async end(wait: number): Promise<void> {
    this.listener.end(this.lastMs);
    await this.seat.settled(wait);
    this.seat.leave();
  }

  figures(): NonNullable<SessionReport['sound']> {
    const { heardMs, speechMs, unheardMs } = this.listener.figures();
    return {
      heardMs: Math.round(heardMs),
      speechMs: Math.round(speechMs),
      unheardMs: Math.round(unheardMs + this.chunksLost * CHUNK_MS),
      segments: this.segments,
      droppedMs: Math.round(this.seat.droppedMs()),
    };
  }

  /** How the writing down of speech is doing. */
  speechReport(): PartReport {
    const engine = this.parts.speech.state();
    const droppedMs = this.seat.droppedMs();
    const now = this.parts.now();
    if (droppedMs > this.dropped.ms) this.dropped = { ms: droppedMs, at: now };
    const seconds = Math.round(droppedMs / 1_000);
    if (engine.state === 'loading') this.speech.set('starting', engine.detail);
    else if (engine.state === 'degraded') this.speech.set('degraded', engine.detail);
    else if (this.audio.state !== 'live' && this.audio.state !== 'degraded') this.speech.set(this.audio.state);
    else if (now - this.dropped.at < BEHIND_MS) {
      this.speech.set('degraded', `The speech engine is behind: ${seconds} s of speech were given up.`);
    } else this.speech.set('live');
    return this.speech.report();
  }

  private heard({ kind, change, startedStreamMs, endedStreamMs, detail }: SoundEvent): void {
    const { clock, now } = this.parts;
    this.parts.signals.tell({
      ...{ signal: kind, change, kind: 'audio', detector: 'sound', model: 'sound', confidence: 1, detail },
      startedMs: startedStreamMs,
      startedAt: clock.wallOf(startedStreamMs),
      at: endedStreamMs === null ? now() : clock.wallOf(endedStreamMs),
      pcm: () => this.listener.recent(),
    });
  }

  private written(segment: TranscriptSegment): void {
    const { job, session, parts } = this;
    const { startMs, endMs, stitched, engine, model, vadMean, filters } = segment;
    this.vote.add(segment.language, endMs - startMs);
    const language = job.language ?? this.vote.language ?? languageCode(segment.language);
    const segmentId = nameBasedId('segment', job.streamId, session, startMs, endMs);
    const startedAt = parts.clock.wallOf(startMs);
    const endedAt = Math.max(startedAt, parts.clock.wallOf(endMs));
    const text = segment.text.slice(0, LONGEST_TEXT);
    this.segments += 1;
    void parts.findings.written({
      ...{ segmentId, text, language, engine, model, vadMean, filters: [...filters], startedAt, endedAt },
    });
    const quoted = stitched.text.slice(0, LONGEST_QUOTE);
    for (const hit of parts.keywords.inSpeech(quoted, stitched.offset, language)) {
      this.found(hit, segment, { text: quoted, language, segmentId, startedAt });
    }
  }

  private found(
    { rule, start, end, view, confidence }: KeywordHit,
    { startMs, model, pcm }: TranscriptSegment,
    {
      text,
      language,
      segmentId,
      startedAt,
    }: { text: string; language: string | null; segmentId: string; startedAt: number },
  ): void {
    const { cooldowns, findings, now } = this.parts;
    if (!cooldowns.pass(rule.id, rule.cooldownMs, startMs)) return;
    const eventId = nameBasedId('speech', this.job.streamId, this.session, rule.id, segmentId, start);
    const kept = findings.found({
      ...{ eventId, kind: 'audio', ruleId: rule.id, ruleVersion: rule.version, label: rule.label },
      ...{ severity: rule.severity, confidence, detector: 'phrases', model, detail: '' },
      ...{ startedAt, detectedAt: Math.max(startedAt, now()), segmentId, pcm },
      quote: { text, start, end, view, language },
    });
    void kept.then((safe) => {
      if (safe) cooldowns.kept(rule.id, rule.cooldownMs, startMs);
      else cooldowns.refused(rule.id);
    });
  }
}
