import { createHash } from 'node:crypto';

/** Namespace of event ids, any fixed UUID. */
const NAMESPACE = Buffer.from('6f0c2b1e5a7d4d0f9a3e8c41b2d75f60', 'hex');

/** What makes an appearance one and the same. */
export interface EventIdentity {
  streamId: string;
  session: number;
  /** How often stream time has jumped within the session: after a jump the same stream time is another moment. */
  epoch: number;
  ruleId: string;
  /** Stream time of the first frame that showed it, ms. */
  startedStreamMs: number;
}

/** The id of an appearance, equal for equal identities. */
export function eventId(identity: EventIdentity): string {
  const { streamId, session, epoch, ruleId, startedStreamMs } = identity;
  return named([streamId, session, epoch, ruleId, startedStreamMs].join('|'));
}

/**
 * The id of anything else that is named for ever by some words and numbers: the same for the same, whoever finds it
 * and however often.
 * @param kind keeps ids of different things apart
 */
export function nameBasedId(kind: string, ...names: readonly (string | number)[]): string {
  return named(JSON.stringify([kind, ...names]));
}

/** A name-based UUID (version 5, RFC 9562 §5.5). */
function named(name: string): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
