/** Every name on the wire. Nothing else in the project spells one. */

/** BullMQ queues. */
export const QUEUES = {
  /** One job is one stream being watched; see {@link captureJobId}. */
  captures: 'captures',
  /** First part of the name of the queue of each channel of notifications; see {@link deliveriesQueue}. */
  deliveries: 'deliveries',
} as const;

/** Keys, streams and channels in Redis, all under one prefix. */
export const REDIS = {
  /** Redis Stream of {@link FactEnvelope}s from every monitor to the api. */
  facts: 'vigil:facts',
  /** Consumer group of the api on {@link REDIS.facts}. */
  factsGroup: 'api',
  /** Redis Stream of entries that could not be stored, each with its reason. */
  deadFacts: 'vigil:facts:dead',
  /** Hash: spool id to the highest sequence number that the api has committed without a gap. */
  watermarks: 'vigil:watermarks',
  /** The current rule set, written by the api, read by monitors. */
  rules: 'vigil:rules',
  /** Version of what is under {@link REDIS.rules}, so that nobody reads the whole set to find it unchanged. */
  rulesVersion: 'vigil:rules:version',
  /** Redis Stream of {@link ChatPush}es, one entry for each batch, with the stream's id. */
  chatPushes: 'vigil:chat',
  /** Prefix of the sorted set of a stream's pushed messages that were taken, with a time to live. */
  chatMarksPrefix: 'vigil:chat:marks:',
  /** Prefix of the key that holds a monitor's last heartbeat, with a time to live. */
  monitorPrefix: 'vigil:monitor:',
  /** Prefix of the key that holds a picture to look at on demand, with a time to live of seconds. */
  inspectionPrefix: 'vigil:inspection:',
  /** Prefix of the key that says which users are connected to one api process, with a time to live. */
  presencePrefix: 'vigil:presence:',
  /** Prefix of the counter that numbers a stream's sessions. */
  sessionPrefix: 'vigil:session:',
  /** Prefix of the {@link SessionMemory} of a stream that is being handed over, with a time to live. */
  memoryPrefix: 'vigil:memory:',
  /** Prefix of the api's counters of attempts, each with a time to live. */
  attemptsPrefix: 'vigil:attempts:',
} as const;

/** Pub/sub channels: hints only, losing one costs seconds. */
export const CHANNELS = {
  /** A new {@link Watermark} was committed. */
  watermark: 'vigil:hint:watermark',
  /** The rule set changed; its version. */
  rules: 'vigil:hint:rules',
  /** A {@link CaptureCommand} to whichever monitor holds the capture. */
  captures: 'vigil:hint:captures',
  /** A {@link CaptureSeen} to the monitor that hands the capture over. */
  seen: 'vigil:hint:seen',
  /** An {@link InspectionRequest} to every monitor. */
  inspections: 'vigil:hint:inspections',
  /** An {@link InspectionAnswer} to whoever asked. */
  inspected: 'vigil:hint:inspected',
} as const;

/** The job id of a stream's capture. BullMQ ids may not hold `:` nor be digits only. */
export function captureJobId(streamId: string): string {
  return `capture-${streamId}`;
}

/** The queue of a channel's deliveries: one each, so that a slow channel holds up no other. */
export function deliveriesQueue(channel: string): string {
  return `${QUEUES.deliveries}-${channel}`;
}

/** The job id of one attempt of a delivery. */
export function deliveryJobId(deliveryId: string, attempt: number): string {
  return `delivery-${deliveryId}-${String(attempt)}`;
}

/** Socket.IO namespaces. */
export const NAMESPACES = { root: '/', notifications: '/notifications', messages: '/messages' } as const;

/** Socket.IO rooms; the server alone joins clients to them. */
export const ROOMS = {
  user: (userId: string): string => `user:${userId}`,
  role: (role: string): string => `role:${role}`,
  stream: (streamId: string): string => `stream:${streamId}`,
} as const;
