import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, type Repository, type SelectQueryBuilder } from 'typeorm';
import type { StatusReason, StreamStatus } from '#libs/contracts/primitives.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { uniqueViolation } from '../database/constraint-violations.js';
import type { Precondition } from '../http/etag.js';
import { channelOf, type ChatChannelRequest } from './chat-channel.dto.js';
import { growForZonesOf } from '../rules/rule-set-version.js';
import { StreamEntity } from './stream.entity.js';
import { streamNameTaken } from './streams.errors.js';

/** Streams that are watched at once at most. */
const MOST_DESIRED = 10_000;

/** Streams that share one chat at most. */
const MOST_OF_ONE_CHAT = 20;

interface StreamFilter {
  platform: string | undefined;
  status: StreamStatus | undefined;
  monitored: boolean | undefined;
  agentId: string | undefined;
  /** Part of the name, in letters of either case. */
  search: string | undefined;
  after: [string, string] | null;
  limit: number;
}

interface StreamFields extends Pick<StreamEntity, 'name' | 'platform' | 'url' | 'priority' | 'parts' | 'language'> {
  chat: ChatChannelRequest | null;
}

/** What a capture is made of: when one of these changes, the running one is void. */
const SOURCE = ['url', 'platform', 'parts', 'language', 'chat'] as const;

/** The table of streams. What an agent is not assigned to does not exist for it. */
@Injectable()
export class StreamsRepository {
  constructor(@InjectRepository(StreamEntity) private readonly rows: Repository<StreamEntity>) {}

  /** By name, after the given name and id. */
  list(viewer: AuthenticatedUser, filter: StreamFilter): Promise<StreamEntity[]> {
    const query = this.visibleTo(viewer).orderBy('s.name').addOrderBy('s.id').limit(filter.limit);
    if (filter.platform !== undefined) query.andWhere('s.platform = :platform', { platform: filter.platform });
    if (filter.status !== undefined) query.andWhere('s.status = :status', { status: filter.status });
    if (filter.monitored !== undefined) query.andWhere('s.desired = :desired', { desired: filter.monitored });
    if (filter.agentId !== undefined) {
      query.andWhere('EXISTS (SELECT 1 FROM assignments b WHERE b.stream_id = s.id AND b.agent_id = :agentId)', {
        agentId: filter.agentId,
      });
    }
    if (filter.search !== undefined) {
      query.andWhere('position(lower(:search) in lower(s.name)) > 0', { search: filter.search });
    }
    if (filter.after !== null) {
      query.andWhere('(s.name, s.id) > (:name, :id)', { name: filter.after[0], id: filter.after[1] });
    }
    return query.getMany();
  }

  find(viewer: AuthenticatedUser, id: string): Promise<StreamEntity | null> {
    return this.visibleTo(viewer).andWhere('s.id = :streamId', { streamId: id }).getOne();
  }

  findAny(id: string): Promise<StreamEntity | null> {
    return this.rows.findOneBy({ id });
  }

  /** Desired streams whose chat is watched and is this channel, in letters of either case. */
  withChat(platform: string, channel: string): Promise<StreamEntity[]> {
    return this.rows
      .createQueryBuilder('s')
      .where(`s.desired AND 'chat' = ANY(s.parts) AND s.chat->>'platform' = :platform`, { platform })
      .andWhere(`lower(s.chat->>'channel') = lower(:channel)`, { channel })
      .orderBy('s.id')
      .limit(MOST_OF_ONE_CHAT)
      .getMany();
  }

  /** @throws AppError `stream.name.conflict`. */
  async create(fields: StreamFields): Promise<StreamEntity> {
    const row = this.rows.create({ ...fields, chat: channelOf(fields.chat, null) });
    const { id } = await this.saving(() => this.rows.save(row));
    return this.rows.findOneByOrFail({ id });
  }

  /**
   * Changes a stream. A change of what a capture is made of begins a new generation: the capture that runs is void.
   * @returns the row as it is then and whether the source changed; null when there is none.
   * @throws AppError `stream.name.conflict`, `request.version.precondition_failed`.
   */
  update(
    id: string,
    changes: Partial<StreamFields>,
    precondition: Precondition,
  ): Promise<{ row: StreamEntity; sourceChanged: boolean } | null> {
    return this.saving(() =>
      this.rows.manager.transaction(async (tx) => {
        const before = await tx.findOne(StreamEntity, { where: { id }, lock: { mode: 'pessimistic_write' } });
        if (before === null) return null;
        precondition.require(before.revision);
        const chat = changes.chat === undefined ? before.chat : channelOf(changes.chat, before.chat);
        const after = { ...before, ...changes, chat };
        const sourceChanged = SOURCE.some((field) => !isDeepStrictEqual(after[field], before[field]));
        const begun = {
          revision: before.revision + 1,
          ...(sourceChanged ? { generation: before.generation + 1 } : {}),
        };
        const pending = sourceChanged && before.desired;
        const status = pending
          ? ({ status: 'pending', reason: 'restarting', detail: '', statusAt: new Date() } as const)
          : {};
        const row = await tx.save(StreamEntity, { ...after, ...begun, ...status });
        return { row, sourceChanged };
      }),
    );
  }

  /** Notes what somebody says of a stream that is not watched. @returns whether it was not. */
  async setStatus(id: string, status: StreamStatus, detail: string): Promise<boolean> {
    const result = await this.rows.update(
      { id, desired: false },
      { status, reason: null, detail, statusAt: () => 'now()' },
    );
    return (result.affected ?? 0) > 0;
  }

  /** @returns whether there was one. @throws AppError `request.version.precondition_failed`. */
  remove(id: string, precondition: Precondition): Promise<boolean> {
    return this.rows.manager.transaction(async (tx) => {
      await growForZonesOf(tx, id);
      const row = await tx.findOne(StreamEntity, { where: { id }, lock: { mode: 'pessimistic_write' } });
      if (row !== null) precondition.require(row.revision);
      return ((await tx.delete(StreamEntity, { id })).affected ?? 0) > 0;
    });
  }

  /** All streams that should be watched. */
  desired(): Promise<StreamEntity[]> {
    return this.rows.find({ where: { desired: true }, order: { priority: 'ASC', id: 'ASC' }, take: MOST_DESIRED });
  }

  /**
   * Commits that a stream should be watched or not; what it is already changes nothing.
   * @returns whether it changed.
   */
  async setDesired(id: string, desired: boolean): Promise<boolean> {
    const result = await this.rows.update(
      { id, desired: !desired },
      {
        desired,
        generation: () => 'generation + 1',
        status: desired ? 'pending' : 'stopped',
        reason: null,
        detail: '',
        statusAt: () => 'now()',
      },
    );
    return (result.affected ?? 0) > 0;
  }

  /** Begins a new generation of the desired ones among these streams, of all when null. @returns them. */
  async restart(ids: readonly string[] | null): Promise<StreamEntity[]> {
    const which = ids === null ? { desired: true } : { desired: true, id: In([...ids]) };
    await this.rows.update(which, {
      generation: () => 'generation + 1',
      status: 'pending',
      reason: 'restarting',
      detail: '',
      statusAt: () => 'now()',
    });
    return this.rows.findBy(which);
  }

  /** Marks a desired stream as pending, unless something else changed it meanwhile. @returns whether it did. */
  async markPending(row: StreamEntity, reason: StatusReason | null, detail: string): Promise<boolean> {
    const { id, generation, session, status, statusFactAt } = row;
    const result = await this.rows.update(
      { id, desired: true, generation, session, status, statusFactAt },
      { status: 'pending', reason, detail, statusAt: () => 'now()' },
    );
    return (result.affected ?? 0) > 0;
  }

  private visibleTo(viewer: AuthenticatedUser): SelectQueryBuilder<StreamEntity> {
    const query = this.rows.createQueryBuilder('s').where('TRUE');
    if (viewer.role === 'admin') return query;
    return query.andWhere('EXISTS (SELECT 1 FROM assignments a WHERE a.stream_id = s.id AND a.agent_id = :viewerId)', {
      viewerId: viewer.id,
    });
  }

  private async saving<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (uniqueViolation(error) === 'streams_name_key') throw streamNameTaken();
      throw error;
    }
  }
}
