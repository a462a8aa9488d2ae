import { Foundation1763900000000 } from './migrations/1763900000000-foundation.js';
import { Detections1763900100000 } from './migrations/1763900100000-detections.js';
import { Accounts1763900300000 } from './migrations/1763900300000-accounts.js';

/** Every migration, oldest first. */
export const migrations = [Foundation1763900000000, Detections1763900100000, Accounts1763900300000];
