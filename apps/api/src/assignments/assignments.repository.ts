import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, type Repository } from 'typeorm';
import { isForeignKeyViolation, uniqueViolation } from '../database/constraint-violations.js';
import { TransactionRunner, type Transaction } from '../database/transaction.js';
import { StreamEntity } from '../streams/stream.entity.js';
import { UserEntity } from '../users/user.entity.js';
import { AssignmentEntity } from './assignment.entity.js';
import { assignmentExists, assignmentTargetMissing } from './assignments.errors.js';
import type { Candidate } from './choose-agent.js';

/** An assignment about to be made. */
export type NewAssignment = Pick<AssignmentEntity, 'agentId' | 'streamId' | 'priority' | 'notes' | 'automatic'>;

/** An assignment with the names a person wants to read. */
export interface NamedAssignment extends AssignmentEntity {
  agentUsername: string;
  streamName: string;
}

interface AssignmentFilter {
  streamId: string | undefined;
  agentId: string | undefined;
  id?: string;
  /** Only those after this id. */
  after: string | null;
  limit: number;
}

/** The table of assignments. */
@Injectable()
export class AssignmentsRepository {
  constructor(
    @InjectRepository(AssignmentEntity) private readonly rows: Repository<AssignmentEntity>,
    private readonly transactions: TransactionRunner,
  ) {}

  list({ streamId, agentId, id, after, limit }: AssignmentFilter): Promise<NamedAssignment[]> {
    const query = this.rows
      .createQueryBuilder('a')
      .innerJoin(UserEntity, 'u', 'u.id = a.agent_id')
      .innerJoin(StreamEntity, 's', 's.id = a.stream_id')
      .select('a.id', 'id')
      .addSelect('a.agent_id', 'agentId')
      .addSelect('a.stream_id', 'streamId')
      .addSelect('a.priority', 'priority')
      .addSelect('a.notes', 'notes')
      .addSelect('a.automatic', 'automatic')
      .addSelect('a.created_at', 'createdAt')
      .addSelect('u.username', 'agentUsername')
      .addSelect('s.name', 'streamName')
      .orderBy('a.id')
      .limit(limit);
    if (streamId !== undefined) query.andWhere('a.stream_id = :streamId', { streamId });
    if (agentId !== undefined) query.andWhere('a.agent_id = :agentId', { agentId });
    if (id !== undefined) query.andWhere('a.id = :id', { id });
    if (after !== null) query.andWhere('a.id > :after', { after });
    return query.getRawMany<NamedAssignment>();
  }

  /** @throws AppError `assignment.conflict`, `assignment.target.not_found`. */
  async create(assignment: NewAssignment): Promise<NamedAssignment> {
    const { agentId, streamId } = assignment;
    try {
      const { id } = await this.rows.save(this.rows.create(assignment));
      const [named] = await this.list({ id, streamId, agentId, after: null, limit: 1 });
      if (named !== undefined) return named;
    } catch (error) {
      if (uniqueViolation(error) === 'assignments_pair_key') throw assignmentExists();
      if (!isForeignKeyViolation(error)) throw error;
    }
    throw assignmentTargetMissing();
  }

  /**
   * Has exactly these agents look after a stream; what is the same stays as it is.
   * @returns who came and who went.
   * @throws AppError `assignment.target.not_found`.
   */
  async replace(
    streamId: string,
    assignments: readonly Omit<NewAssignment, 'streamId' | 'automatic'>[],
  ): Promise<{ came: string[]; went: string[] }> {
    const agentIds = assignments.map(({ agentId }) => agentId);
    return this.transactions.run(async (tx) => {
      await lockStream(tx, streamId);
      if ((await tx.countBy(UserEntity, { id: In(agentIds), role: 'agent' })) < agentIds.length) {
        throw assignmentTargetMissing();
      }
      const before = await tx.findBy(AssignmentEntity, { streamId });
      const gone = before.filter(({ agentId }) => !agentIds.includes(agentId));
      if (gone.length > 0) await tx.delete(AssignmentEntity, { id: In(gone.map(({ id }) => id)) });
      const known = new Map(before.map((row) => [row.agentId, row]));
      for (const wanted of assignments) {
        const row = known.get(wanted.agentId) ?? { streamId, automatic: false };
        await tx.save(AssignmentEntity, { ...row, ...wanted });
      }
      const came = agentIds.filter((agentId) => !known.has(agentId));
      return { came, went: gone.map(({ agentId }) => agentId) };
    });
  }

  /** Agents who may sign in and do not look after the stream yet, with what they have to do. */
  async candidates(streamId: string): Promise<Omit<Candidate, 'online'>[]> {
    return this.rows.manager.query<Omit<Candidate, 'online'>[]>(
      `SELECT u.id AS "agentId", u.capacity, count(a.id)::int AS active
       FROM users u LEFT JOIN assignments a ON a.agent_id = u.id
       WHERE u.role = 'agent' AND u.disabled_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM assignments b WHERE b.agent_id = u.id AND b.stream_id = $1)
       GROUP BY u.id`,
      [streamId],
    );
  }

  /** @returns what was there, null when nothing was. */
  async remove(id: string): Promise<AssignmentEntity | null> {
    const row = await this.rows.findOneBy({ id });
    if (row === null) return null;
    const { affected } = await this.rows.delete({ id });
    return (affected ?? 0) > 0 ? row : null;
  }

  /** The streams of each of these agents. */
  async streamsOf(agentIds: readonly string[]): Promise<Map<string, Set<string>>> {
    const rows = await this.rows.query<{ agentId: string; streamIds: string[] }[]>(
      `SELECT agent_id AS "agentId", array_agg(stream_id) AS "streamIds" FROM assignments
       WHERE agent_id = ANY($1::uuid[]) GROUP BY agent_id`,
      [agentIds],
    );
    return new Map(rows.map(({ agentId, streamIds }) => [agentId, new Set(streamIds)]));
  }
}

/** Lets replacements of one stream queue up. @throws AppError `assignment.target.not_found`. */
async function lockStream(tx: Transaction, streamId: string): Promise<void> {
  const [stream] = await tx.query<unknown[]>('SELECT 1 FROM streams WHERE id = $1 FOR UPDATE', [streamId]);
  if (stream === undefined) throw assignmentTargetMissing();
}
