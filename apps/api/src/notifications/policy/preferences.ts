import { z } from 'zod';
import { Severity } from '#libs/contracts/primitives.js';
import { isTimeZone } from './quiet-hours.js';

const ClockTime = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as `22:30`')
  .meta({ example: '22:30' });

/** Hours in which only grave things may disturb. */
export const QuietHours = z
  .strictObject({
    from: ClockTime,
    to: ClockTime,
    timeZone: z
      .string()
      .max(60)
      .refine(isTimeZone, 'must be a time zone such as `Europe/Berlin`')
      .meta({ example: 'Europe/Berlin' }),
    disturbFrom: Severity.default('critical').describe('From this severity on, quiet hours do not hold.'),
  })
  .meta({ id: 'QuietHours' });
export type QuietHours = z.infer<typeof QuietHours>;

const Digest = z
  .strictObject({
    everyMinutes: z.number().int().min(5).max(1_440),
    upTo: Severity.default('medium').describe('What is graver is sent at once.'),
  })
  .meta({ id: 'NotificationDigest' });

/** From which severity on a channel is used; null for never. In the app everything is told. */
const ChannelFloors = z
  .strictObject({
    email: Severity.nullable().default('high'),
    telegram: Severity.nullable().default('medium'),
    webhook: Severity.nullable().default('info'),
  })
  .meta({ id: 'NotificationChannels' });

/** How a user wants to be told, beside the app. */
export const NotificationPreferences = z
  .strictObject({
    channels: ChannelFloors.default({ email: 'high', telegram: 'medium', webhook: 'info' }),
    quietHours: QuietHours.nullable().default(null),
    digest: Digest.nullable().default(null),
  })
  .meta({ id: 'NotificationPreferences' });
export type NotificationPreferences = z.infer<typeof NotificationPreferences>;

/** What holds for who never chose. */
export const DEFAULT_PREFERENCES: NotificationPreferences = NotificationPreferences.parse({});

/** Preferences as they are stored; what does not fit any more counts as never chosen. */
export function preferencesOf(stored: unknown): NotificationPreferences {
  const parsed = NotificationPreferences.safeParse(stored ?? {});
  return parsed.success ? parsed.data : DEFAULT_PREFERENCES;
}
