import type { AirStatus } from '../platform.port.js';

/** Words of YouTube's reasons, in English; the first that is found decides. */
const REASONS: readonly (readonly [RegExp, AirStatus])[] = [
  [/not a bot|unusual traffic|captcha/i, 'challenge'],
  [/private/i, 'private'],
  [/country|region|location/i, 'geo_blocked'],
  [/members|join this channel|sign in|confirm your age|age-restricted|purchase|rental/i, 'auth_required'],
  [/terminated|removed|no longer available|does not exist|deleted/i, 'gone'],
  [/offline|begin|premiere|scheduled|waiting|ended|recording/i, 'offline'],
];

/** What each `playabilityStatus.status` means when its reason says nothing that is known. */
const STATUSES: Readonly<Record<string, AirStatus>> = {
  LOGIN_REQUIRED: 'auth_required',
  AGE_CHECK_REQUIRED: 'auth_required',
  AGE_VERIFICATION_REQUIRED: 'auth_required',
  CONTENT_CHECK_REQUIRED: 'auth_required',
  LIVE_STREAM_OFFLINE: 'offline',
  ERROR: 'gone',
  UNPLAYABLE: 'private',
};

/** Why a video does not play. @param status any but `OK` */
export function statusOf(status: string, reason: string): AirStatus {
  if (status === 'LIVE_STREAM_OFFLINE') return 'offline';
  return REASONS.find(([words]) => words.test(reason))?.[1] ?? STATUSES[status] ?? 'offline';
}
