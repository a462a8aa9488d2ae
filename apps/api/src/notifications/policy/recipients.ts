import type { Severity } from '#libs/contracts/primitives.js';
import { quietUntil } from './quiet-hours.js';
import type { NotificationPreferences } from './preferences.js';
import { reaches } from './severity.js';

/** Someone who may be told of a stream, and over what. */
export interface Recipient {
  userId: string;
  role: 'admin' | 'agent';
  /** Looks after the stream. */
  assigned: boolean;
  /** Asked to be told of the stream. */
  watching: boolean;
  preferences: NotificationPreferences;
  /** Channels on which the user can be reached: the channel, and the endpoint where a user may have several. */
  routes: readonly Route[];
}

/** One way to a recipient. */
export interface Route {
  channel: 'email' | 'telegram' | 'webhook';
  endpointId: string | null;
}

/** When something goes over a route: `digest` together with whatever else is due then. */
export interface Dispatch {
  route: Route;
  kind: 'single' | 'digest';
  dueAt: number;
}

/**
 * Whether a recipient is told of something of this severity at all: agents of the stream, admins from a floor on or where
 * they watch the stream.
 */
export function isTold(recipient: Recipient, severity: Severity, adminsFrom: Severity): boolean {
  const { role, assigned, watching } = recipient;
  return assigned || (role === 'admin' && (watching || reaches(severity, adminsFrom)));
}

/** Over which routes, and when, a recipient hears of something beside the app. */
export function dispatchesOf(
  { preferences, routes }: Recipient,
  severity: Severity,
  now: number,
  waitMs: number,
): Dispatch[] {
  const { channels, quietHours, digest } = preferences;
  return routes.flatMap((route): Dispatch[] => {
    const floor = channels[route.channel];
    if (floor === null || !reaches(severity, floor)) return [];
    // Programs do not sleep.
    if (route.channel === 'webhook') return [{ route, kind: 'single', dueAt: now + waitMs }];
    let dueAt = now + waitMs;
    let kind: Dispatch['kind'] = 'single';
    if (digest !== null && reaches(digest.upTo, severity)) {
      dueAt = nextBeat(now, digest.everyMinutes * 60_000);
      kind = 'digest';
    }
    const until =
      quietHours === null || reaches(severity, quietHours.disturbFrom) ? null : quietUntil(dueAt, quietHours);
    return [until === null ? { route, kind, dueAt } : { route, kind: 'digest', dueAt: until }];
  });
}

/** The next whole multiple of a period: digests of one period go out together. */
function nextBeat(now: number, periodMs: number): number {
  return (Math.floor(now / periodMs) + 1) * periodMs;
}
