/** A daily stretch of wall-clock time in a time zone; over midnight when it ends before it begins. */
export interface DailyHours {
  /** `HH:MM`. */
  from: string;
  to: string;
  /** IANA name. */
  timeZone: string;
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
/** The longest day there is, with a clock set back. */
const MOST_MINUTES = 2 * DAY_MINUTES;

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Whether a time zone of this name is known. */
export function isTimeZone(name: string): boolean {
  try {
    clockOf(name);
    return true;
  } catch {
    return false;
  }
}

/** Whether the clock on the wall is within the hours. The end is outside; equal ends are no hours at all. */
export function isQuiet(now: number, hours: DailyHours): boolean {
  return within(minuteOfDay(now, hours.timeZone), minutesOf(hours.from), minutesOf(hours.to));
}

/** When quiet hours that hold now are over; null when none hold. Follows the clock on the wall through its changes. */
export function quietUntil(now: number, hours: DailyHours): number | null {
  if (!isQuiet(now, hours)) return null;
  const to = minutesOf(hours.to);
  const start = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const ahead = (to - minuteOfDay(start, hours.timeZone) + DAY_MINUTES) % DAY_MINUTES;
  const direct = start + ahead * MINUTE_MS;
  if (minuteOfDay(direct, hours.timeZone) === to && offsetsAgree(start, direct, ahead, hours.timeZone)) return direct;
  // A clock change lies between: look minute by minute.
  for (let minute = 1; minute <= MOST_MINUTES; minute += 1) {
    const instant = start + minute * MINUTE_MS;
    if (!isQuiet(instant, hours)) return instant;
  }
  return direct;
}

/** Whether no clock change lies within so many minutes: then each hour is where it is expected. */
function offsetsAgree(start: number, end: number, minutes: number, timeZone: string): boolean {
  const first = minuteOfDay(start, timeZone);
  for (let passed = 60; passed < minutes; passed += 60) {
    if (minuteOfDay(start + passed * MINUTE_MS, timeZone) !== (first + passed) % DAY_MINUTES) return false;
  }
  return minuteOfDay(end, timeZone) === (first + minutes) % DAY_MINUTES;
}

function within(minute: number, from: number, to: number): boolean {
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

function minuteOfDay(instant: number, timeZone: string): number {
  const parts = clockOf(timeZone).formatToParts(instant);
  const read = (type: string): number => Number(parts.find((part) => part.type === type)?.value ?? 0);
  return read('hour') * 60 + read('minute');
}

/** @throws RangeError for a time zone that is not known. */
function clockOf(timeZone: string): Intl.DateTimeFormat {
  let clock = clocks.get(timeZone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('en-GB', { timeZone, hourCycle: 'h23', hour: '2-digit', minute: '2-digit' });
    // Time zones are some hundreds; a bound all the same, for names come from users.
    if (clocks.size >= 1_000) clocks.clear();
    clocks.set(timeZone, clock);
  }
  return clock;
}
