import { Foundation1763900000000 } from './migrations/1763900000000-foundation.js';
import { Detections1763900100000 } from './migrations/1763900100000-detections.js';
import { Findings1763900200000 } from './migrations/1763900200000-findings.js';
import { Accounts1763900300000 } from './migrations/1763900300000-accounts.js';
import { Teamwork1763900400000 } from './migrations/1763900400000-teamwork.js';
import { Messaging1763900500000 } from './migrations/1763900500000-messaging.js';
import { Deliveries1763900600000 } from './migrations/1763900600000-deliveries.js';
import { Revisions1763900700000 } from './migrations/1763900700000-revisions.js';
import { ListIndexes1763900800000 } from './migrations/1763900800000-list-indexes.js';
import { Telegram1763900900000 } from './migrations/1763900900000-telegram.js';
import { ListBars1763901000000 } from './migrations/1763901000000-list-bars.js';
import { Coverage1763901100000 } from './migrations/1763901100000-coverage.js';
import { Retention1763901200000 } from './migrations/1763901200000-retention.js';
import { StreamWatches1763901300000 } from './migrations/1763901300000-stream-watches.js';
import { Canary1763901400000 } from './migrations/1763901400000-canary.js';
import { CheapCounts1763901700000 } from './migrations/1763901700000-cheap-counts.js';

/** Every migration, oldest first. */
export const migrations = [
  Foundation1763900000000,
  Detections1763900100000,
  Findings1763900200000,
  Accounts1763900300000,
  Teamwork1763900400000,
  Messaging1763900500000,
  Deliveries1763900600000,
  Revisions1763900700000,
  ListIndexes1763900800000,
  Telegram1763900900000,
  ListBars1763901000000,
  Coverage1763901100000,
  Retention1763901200000,
  StreamWatches1763901300000,
  Canary1763901400000,
  CheapCounts1763901700000,
];
