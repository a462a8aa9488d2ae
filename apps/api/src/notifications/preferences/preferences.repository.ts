import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { preferencesOf, type NotificationPreferences } from '../policy/preferences.js';

/** How users want to be told. */
@Injectable()
export class PreferencesRepository {
  constructor(private readonly dataSource: DataSource) {}

  async find(userId: string): Promise<NotificationPreferences> {
    const [row] = await this.dataSource.query<{ value: unknown }[]>(
      'SELECT value FROM notification_preferences WHERE user_id = $1',
      [userId],
    );
    return preferencesOf(row?.value);
  }

  async save(userId: string, preferences: NotificationPreferences): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO notification_preferences (user_id, value) VALUES ($1, $2)
       ON CONFLICT (user_id) DO UPDATE SET value = excluded.value, updated_at = now()`,
      [userId, JSON.stringify(preferences)],
    );
  }
}
