/** Something that nobody wants to hear of for a while. What it does not name, it does not ask for. */
export interface Silence {
  id: string;
  streamId: string | null;
  ruleId: string | null;
  label: string | null;
  startsAt: number;
  endsAt: number;
}

/** What a silence looks at. */
export interface Silenceable {
  streamId: string | null;
  ruleId: string | null;
  label: string;
}

/** The silence that covers something now, null when none does. The end is outside. */
export function silenceFor(hit: Silenceable, silences: readonly Silence[], now: number): Silence | null {
  return silences.find((silence) => holds(silence, now) && covers(silence, hit)) ?? null;
}

function holds({ startsAt, endsAt }: Silence, now: number): boolean {
  return startsAt <= now && now < endsAt;
}

function covers(silence: Silence, hit: Silenceable): boolean {
  // One that names nothing would silence everything: it covers nothing.
  if (silence.streamId === null && silence.ruleId === null && silence.label === null) return false;
  return (
    (silence.streamId === null || silence.streamId === hit.streamId) &&
    (silence.ruleId === null || silence.ruleId === hit.ruleId) &&
    (silence.label === null || silence.label.toLowerCase() === hit.label.toLowerCase())
  );
}
