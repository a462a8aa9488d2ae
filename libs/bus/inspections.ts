import {
  INSPECTION_LIMITS,
  InspectionAnswer,
  InspectionPicture,
  InspectionRequest,
} from '#libs/contracts/inspections.js';
import { CHANNELS, REDIS } from '#libs/contracts/names.js';
import type { HintSubscriber } from './channels.js';
import type { RedisConnection } from './redis.js';

/** A picture that whoever asked could not take back goes by itself so long after the wait, ms. */
const GRACE_MS = 5_000;

/** Why nobody answered: no monitor `took` the picture in time, or the one that did stayed silent. */
export type NoAnswer = 'untaken' | 'silent';

/** The api's side of looking at single pictures: asks whichever monitor takes it first. */
export class InspectionDesk {
  private readonly waiting = new Map<string, (answer: InspectionAnswer) => void>();
  private listening: Promise<void> | undefined;

  /** @param hints receives answers, on a connection of its own */
  constructor(
    private readonly redis: RedisConnection,
    private readonly hints: Pick<HintSubscriber, 'on'>,
  ) {}

  /**
   * Lays a picture out and waits for the answer, no longer than the request says. The picture vanishes with the wait.
   * @throws Error when Redis is away.
   */
  async ask(request: InspectionRequest, jpeg: Buffer): Promise<InspectionAnswer | NoAnswer> {
    await this.listen();
    const { id, patienceMs } = InspectionRequest.parse(request);
    const key = REDIS.inspectionPrefix + id;
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<InspectionAnswer | null>((resolve) => {
      this.waiting.set(id, resolve);
      timer = setTimeout(() => resolve(null), patienceMs);
    });
    try {
      await this.redis.set(key, InspectionPicture.parse(jpeg.toString('base64')), 'PX', patienceMs + GRACE_MS);
      await this.redis.publish(CHANNELS.inspections, JSON.stringify(request));
      const given = await answer;
      if (given !== null) return given;
      return (await this.redis.del(key)) > 0 ? 'untaken' : 'silent';
    } finally {
      clearTimeout(timer);
      this.waiting.delete(id);
    }
  }

  private async listen(): Promise<void> {
    this.listening ??= this.hints.on(CHANNELS.inspected, InspectionAnswer, (answer) => {
      this.waiting.get(answer.id)?.(answer);
    });
    try {
      await this.listening;
    } catch (error) {
      this.listening = undefined;
      throw error;
    }
  }
}

/** The monitors' side. */
export class InspectionBoard {
  constructor(private readonly redis: RedisConnection) {}

  /** The picture, for the one monitor that comes first; null for all others, and when nobody waits any more. */
  async take(id: string): Promise<Buffer | null> {
    const picture = InspectionPicture.safeParse(await this.redis.getdel(REDIS.inspectionPrefix + id));
    return picture.success ? Buffer.from(picture.data, 'base64') : null;
  }

  /** Tells what was found, the best of it when there is very much. */
  async answer(answer: InspectionAnswer): Promise<void> {
    const told =
      answer.outcome === 'inspected'
        ? { ...answer, objects: answer.objects.slice(0, INSPECTION_LIMITS.objects) }
        : { ...answer, detail: answer.detail.slice(0, 500) };
    await this.redis.publish(CHANNELS.inspected, JSON.stringify(InspectionAnswer.parse(told)));
  }
}
