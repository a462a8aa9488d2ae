import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { StreamJobEntity } from './stream-job.entity.js';

/** A running job that has not been heard of for so long ended with the process that ran it, seconds. */
const LOST_AFTER_S = 30;

/** The table of jobs. */
@Injectable()
export class StreamJobsRepository {
  constructor(private readonly dataSource: DataSource) {}

  async create(job: Pick<StreamJobEntity, 'kind' | 'userId' | 'total'>): Promise<StreamJobEntity> {
    const rows = this.dataSource.getRepository(StreamJobEntity);
    const { id } = await rows.save(rows.create({ ...job, state: 'running', finished: 0, detail: '', results: [] }));
    return rows.findOneByOrFail({ id });
  }

  /** Says how far a job has come, which also says that it is alive. */
  async update(
    id: string,
    changes: Partial<Pick<StreamJobEntity, 'state' | 'finished' | 'detail' | 'results'>>,
  ): Promise<void> {
    const rows = this.dataSource.getRepository(StreamJobEntity);
    await rows.update({ id }, { ...changes, updatedAt: () => 'now()' });
  }

  /** @returns the job; one that its process left behind is told as failed. */
  async find(id: string): Promise<StreamJobEntity | null> {
    await this.dataSource.query(
      `UPDATE stream_jobs SET state = 'failed', detail = 'The api was stopped meanwhile: ask again.', updated_at = now()
       WHERE id = $1 AND state = 'running' AND updated_at < now() - make_interval(secs => $2)`,
      [id, LOST_AFTER_S],
    );
    return this.dataSource.manager.findOneBy(StreamJobEntity, { id });
  }
}
