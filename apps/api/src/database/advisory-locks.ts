/** Keys of the advisory locks on the database, in one place so that no two are the same. */
export const ADVISORY_LOCKS = {
  /** Of the process that migrates the schema. */
  migration: 7_105_221,
  /** Of the one process that stores facts. */
  ingest: 7_105_222,
  /** Of the one process that audits deliveries, escalates and edits. */
  tending: 7_105_223,
  /** Of the transaction whose notifications get their numbers. */
  notificationTurn: 7_105_224,
  /** Of the one process that looks for what is not watched. */
  coverage: 7_105_225,
  /** Of the one process that looks whether canaries come out. */
  canary: 7_105_226,
  /** Of the one process that asks channels whether they would take a message. */
  channelProbes: 7_105_227,
  /** Of the one process that removes what is old. */
  retention: 7_105_231,
  /** Of the one process that asks Telegram for updates. */
  telegramUpdates: 7_105_235,
} as const;
