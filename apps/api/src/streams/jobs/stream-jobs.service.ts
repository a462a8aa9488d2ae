import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import type { AuthenticatedUser } from '../../auth/authenticated-user.js';
import { LOGGER } from '../../runtime.module.js';
import { DesiredState } from '../desired-state.service.js';
import { CreateStreamRequest } from '../streams.dto.js';
import { StreamsService } from '../streams.service.js';
import { settled } from './settled-stream.js';
import { type RefreshStreamsRequest, type StreamJob, type StreamJobResult } from './stream-jobs.dto.js';
import type { StreamJobEntity } from './stream-job.entity.js';
import { StreamJobsRepository } from './stream-jobs.repository.js';

/** Jobs of one process at once at most. */
const MOST_RUNNING = 20;
/** Streams of one job that are waited for at once. */
const WIDTH = 20;
/** News of one stream is waited for so long, ms. */
const PATIENCE_MS = 60_000;
const HEARTBEAT_MS = 5_000;

/** One step of a job: does something to one stream. */
type Step = () => Promise<Omit<StreamJobResult, 'row'>>;

/** Work on streams that takes a while: each job is a row that says how far it has come. */
@Injectable()
export class StreamJobsService implements OnModuleDestroy {
  private readonly running = new Set<Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly repository: StreamJobsRepository,
    private readonly streams: StreamsService,
    private readonly desiredState: DesiredState,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.running);
  }

  /** @throws AppError `stream.job.not_found`. */
  async get(id: string): Promise<StreamJob> {
    const row = await this.repository.find(id);
    if (row === null) throw new AppError('stream.job.not_found', 'user', 'There is no such job.');
    return viewOf(row);
  }

  /** Adds a stream, has it watched, and follows it until it is on air. @throws AppError `stream.name.conflict`. */
  async start(viewer: AuthenticatedUser, request: CreateStreamRequest): Promise<StreamJob> {
    this.assertRoom();
    const { id, name } = await this.streams.create(viewer, request);
    const watch = (): Promise<unknown> => this.desiredState.set(viewer, id, true);
    return this.begin(viewer, 'start', [() => this.follow(viewer, id, name, watch)]);
  }

  /** Looks for streams anew: those that are watched begin again. */
  async refresh(viewer: AuthenticatedUser, request: RefreshStreamsRequest): Promise<StreamJob> {
    this.assertRoom();
    const ids = request.streamIds ?? (await this.idsOf(request.platform ?? ''));
    const steps = ids.map((id): Step => async () => {
      const row = await this.streams.entity(viewer, id).catch(() => null);
      if (row === null) return { name: '', streamId: null, outcome: 'refused', detail: 'There is no such stream.' };
      if (!row.desired) {
        return { name: row.name, streamId: id, outcome: 'skipped', detail: 'It is not watched: start it first.' };
      }
      return this.follow(viewer, id, row.name, () => this.desiredState.restart([id]));
    });
    return this.begin(viewer, 'refresh', steps);
  }

  /** @throws AppError `stream.not_found`. */
  async refreshOne(viewer: AuthenticatedUser, id: string): Promise<StreamJob> {
    await this.streams.entity(viewer, id);
    return this.refresh(viewer, { streamIds: [id] });
  }

  /** Adds streams; each row has its own result. They are not watched until started. */
  import(viewer: AuthenticatedUser, rows: readonly unknown[]): Promise<StreamJob> {
    this.assertRoom();
    const steps = rows.map(
      (row): Step =>
        () =>
          this.importRow(viewer, row),
    );
    return this.begin(viewer, 'import', steps);
  }

  private async importRow(viewer: AuthenticatedUser, row: unknown): Promise<Omit<StreamJobResult, 'row'>> {
    const parsed = CreateStreamRequest.safeParse(row);
    if (!parsed.success) {
      const detail = parsed.error.issues.slice(0, 5).map(({ path, message }) => `${path.join('.')}: ${message}`);
      return { name: nameIn(row), streamId: null, outcome: 'refused', detail: detail.join('; ') };
    }
    const { name } = parsed.data;
    try {
      const { id } = await this.streams.create(viewer, parsed.data);
      return { name, streamId: id, outcome: 'created', detail: '' };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const outcome = error.code === 'stream.name.conflict' ? 'duplicate' : 'refused';
      return { name, streamId: null, outcome, detail: error.message };
    }
  }

  private async follow(
    viewer: AuthenticatedUser,
    id: string,
    name: string,
    begin: () => Promise<unknown>,
  ): Promise<Omit<StreamJobResult, 'row'>> {
    await begin();
    const signal = AbortSignal.any([this.stopping.signal, AbortSignal.timeout(PATIENCE_MS)]);
    return { name, streamId: id, ...(await settled(() => this.streams.entity(viewer, id), signal)) };
  }

  private async idsOf(platform: string): Promise<string[]> {
    const rows = await this.desiredState.all();
    return rows.filter((row) => row.platform === platform).map(({ id }) => id);
  }

  private assertRoom(): void {
    if (this.running.size < MOST_RUNNING) return;
    throw new AppError('stream.job.too_many', 'user', `${MOST_RUNNING} jobs are running: wait for one to end.`);
  }

  private async begin(viewer: AuthenticatedUser, kind: StreamJobEntity['kind'], steps: Step[]): Promise<StreamJob> {
    const job = await this.repository.create({ kind, userId: viewer.id, total: steps.length });
    const work: Promise<void> = this.run(job.id, steps).finally(() => this.running.delete(work));
    this.running.add(work);
    return viewOf(job);
  }

  /** Never rejects. */
  private async run(id: string, steps: readonly Step[]): Promise<void> {
    const results: StreamJobResult[] = [];
    const save = (changes: Parameters<StreamJobsRepository['update']>[1] = {}): Promise<void> => {
      const inOrder = results.toSorted((a, b) => a.row - b.row);
      return this.repository.update(id, { finished: results.length, results: inOrder, ...changes });
    };
    const alive = setInterval(() => void save().catch(() => undefined), HEARTBEAT_MS);
    try {
      const waiting = [...steps.entries()];
      const lane = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          if (this.stopping.signal.aborted) return;
          const [index, step] = next;
          results.push({ row: index + 1, ...(await step()) });
          await save();
        }
      };
      await Promise.all(Array.from({ length: Math.min(WIDTH, steps.length) }, lane));
      const stopped = this.stopping.signal.aborted;
      await save(
        stopped ? { state: 'failed', detail: 'The api was stopped meanwhile: ask again.' } : { state: 'done' },
      );
    } catch (error) {
      this.logger.error({ job: id, error: messageOf(error) }, 'a job on streams failed');
      const detail = error instanceof AppError ? error.message : 'Something went wrong on our side: see the log.';
      await save({ state: 'failed', detail }).catch(() => undefined);
    } finally {
      clearInterval(alive);
    }
  }
}

function nameIn(row: unknown): string {
  const name = typeof row === 'object' && row !== null && 'name' in row ? row.name : '';
  return typeof name === 'string' ? name.slice(0, 200) : '';
}

function viewOf({ userId: _userId, createdAt, updatedAt, ...job }: StreamJobEntity): StreamJob {
  return { ...job, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}
