import type { MonitorLoad } from '#libs/contracts/monitors.js';
import { FLOOR_PER_SECOND } from '../inference/allocation.js';

/** What is known of the machine and of this monitor at one moment. */
export interface Measurement {
  /** Streams that were watched at that moment. */
  streams: number;
  /** Processors that may be used, of the machine or of what a container leaves of it. */
  cores: number;
  /** How many of them are busy with whatever. */
  busyCores: number;
  /** Processors that this monitor and its children keep busy. */
  ownCores: number;
  memoryFreeMb: number;
  /** Null without a model: then inference limits nothing. */
  inference: { perSecond: number; queued: number } | null;
}

/**
 * The processors of a container: not free are those that it uses itself, and those that the rest of the machine keeps
 * from it. Without a limit these are the machine's own. Pure.
 * @param limit processors that the container may keep busy; null without a limit
 * @param machine processors of the machine, and how many of them are busy
 */
export function usableCores(
  limit: number | null,
  machine: Pick<Measurement, 'cores' | 'busyCores'>,
  ownCores: number,
): Pick<Measurement, 'cores' | 'busyCores'> {
  if (limit === null || limit >= machine.cores) return machine;
  const free = Math.min(limit - ownCores, machine.cores - machine.busyCores);
  return { cores: limit, busyCores: limit - free };
}

/** How many more streams there is room for, and what is used up first. */
export type Room = Pick<MonitorLoad, 'room' | 'limitedBy' | 'detail'>;

/** Part of the processors that may be used: the rest is for starts, which cost more than watching. */
const CPU_TARGET = 0.85;
/** Part of the machine that a monitor may use however busy its neighbours are: they must not make it blind. */
const OWN_PART = 0.5;
/** Processors that a stream is taken to cost before it is measured: 720p30 by keyframes, one inspection a second. */
const CORES_PER_STREAM = 0.03;
/** So few streams tell nothing about the cost of one. */
const MEASURABLE_STREAMS = 5;
/** Memory of a stream, nearly all of it ffmpeg's, and what is left to the rest of the machine, MB. */
const [STREAM_MB, RESERVED_MB] = [90, 256];
/** Frames may wait for a model so long before no further stream is taken, s. */
const LONGEST_QUEUE_S = 1;

/**
 * How many more streams this monitor has room for: the least of what processors, models, memory and the setting allow.
 * Pure.
 * @param most CAPTURE_CAPACITY
 */
export function roomOf(measured: Measurement, most: number): Room {
  const { streams, cores, busyCores, ownCores, memoryFreeMb, inference } = measured;
  const perStream =
    streams < MEASURABLE_STREAMS ? CORES_PER_STREAM : Math.max(CORES_PER_STREAM / 2, ownCores / streams);
  const spareCores = Math.max(CPU_TARGET * cores - busyCores, CPU_TARGET * cores * OWN_PART - ownCores);
  const limits: [Room['limitedBy'], number][] = [
    ['setting', most - streams],
    ['cpu', spareCores / perStream],
    ['memory', (memoryFreeMb - RESERVED_MB) / STREAM_MB],
  ];
  if (inference !== null) {
    const { perSecond, queued } = inference;
    const behind = queued > Math.max(1, perSecond * LONGEST_QUEUE_S);
    limits.push(['inference', behind ? 0 : perSecond / FLOOR_PER_SECOND - streams]);
  }
  const [limitedBy, least] = limits.reduce((least, limit) => (limit[1] < least[1] ? limit : least));
  const room = Math.max(0, Math.floor(least));
  return { room, limitedBy, detail: sentence(room, limitedBy) };
}

const WORDS: Readonly<Record<Room['limitedBy'], string>> = {
  cpu: 'processor time',
  inference: 'inference',
  memory: 'memory',
  setting: 'the setting CAPTURE_CAPACITY',
};

function sentence(room: number, limitedBy: Room['limitedBy']): string {
  const streams = room === 1 ? '1 more stream' : `${room} more streams`;
  return room === 0
    ? `No room for more: ${WORDS[limitedBy]} is used up.`
    : `Room for ${streams}, as far as ${WORDS[limitedBy]} goes.`;
}
