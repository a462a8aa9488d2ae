import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, type Repository } from 'typeorm';
import { ServiceTokenEntity } from './service-token.entity.js';

/** The table of service tokens. */
@Injectable()
export class ServiceTokensRepository {
  constructor(@InjectRepository(ServiceTokenEntity) private readonly rows: Repository<ServiceTokenEntity>) {}

  /** By name, after the given name and id. */
  list(after: readonly [string, string] | null, limit: number): Promise<ServiceTokenEntity[]> {
    const query = this.rows.createQueryBuilder('t').orderBy('t.name').addOrderBy('t.id').limit(limit);
    if (after !== null) query.andWhere('(t.name, t.id) > (:name, :id)', { name: after[0], id: after[1] });
    return query.getMany();
  }

  async create(
    fields: Pick<ServiceTokenEntity, 'name' | 'hash' | 'scopes' | 'createdBy'>,
  ): Promise<ServiceTokenEntity> {
    const { id } = await this.rows.save(this.rows.create(fields));
    return this.rows.findOneByOrFail({ id });
  }

  /** The token with this hash, unless it was revoked. */
  findLive(hash: string): Promise<ServiceTokenEntity | null> {
    return this.rows.findOneBy({ hash, revokedAt: IsNull() });
  }

  /** Notes that it was used just now, if that was not noted within the last `graceMs`. */
  async touch({ id, lastUsedAt }: ServiceTokenEntity, graceMs: number): Promise<void> {
    if (lastUsedAt !== null && Date.now() - lastUsedAt.getTime() < graceMs) return;
    await this.rows
      .createQueryBuilder()
      .update()
      .set({ lastUsedAt: () => 'now()' })
      .where(`id = :id AND (last_used_at IS NULL OR last_used_at < now() - :graceMs * interval '1 ms')`, {
        id,
        graceMs,
      })
      .execute();
  }

  /** Revokes it, now or, when it was revoked before, not again. @returns it, null when there is no such token. */
  async revoke(id: string): Promise<ServiceTokenEntity | null> {
    await this.rows.update({ id, revokedAt: IsNull() }, { revokedAt: () => 'now()' });
    return this.rows.findOneBy({ id });
  }
}
