/**
 * What the demo's stream sounds like, again and again: calm chords, an alarm, then digital silence. Whenever somebody
 * begins to listen, either the alarm (`loudness_jump`, which wants 5 s of sound before it) or the silence (`dead_air`,
 * which wants 10 s of it) is found within the round.
 */
export const SOUND = { chordSeconds: 4, musicSeconds: 24, alarmSeconds: 4, silenceSeconds: 12, rate: 48_000 } as const;

/** Length of a round. */
export const ROUND_SECONDS = SOUND.musicSeconds + SOUND.alarmSeconds + SOUND.silenceSeconds;

/** Samples of one AAC frame. */
const AAC_FRAME = 1_024;

/** Notes of each chord in Hz: C major, A minor, F major, G major. */
const CHORDS = [
  [130.81, 261.63, 329.63, 392.0],
  [110.0, 261.63, 329.63, 440.0],
  [87.31, 261.63, 349.23, 440.0],
  [98.0, 246.94, 293.66, 392.0],
] as const;

/**
 * Number of AAC frames that are exactly so long. The clip repeats, so its sound must be exactly as long as its
 * pictures: multiples of 8 s are whole frames and whole groups of pictures.
 * @throws RangeError when there is no such number
 */
export function aacFrames(seconds: number): number {
  const frames = (seconds * SOUND.rate) / AAC_FRAME;
  if (!Number.isInteger(frames)) throw new RangeError(`${seconds} s are no whole number of AAC frames`);
  return frames;
}

/**
 * Arguments with which ffmpeg makes the sound as AAC in ADTS; the path follows. ADTS, because a container would tell of
 * the encoder's lead-in and begin before 0.
 */
export function soundArguments(seconds: number): string[] {
  const { rate } = SOUND;
  const rounds = Math.ceil(seconds / ROUND_SECONDS);
  const samples = ROUND_SECONDS * rate;
  const graph = `aevalsrc=exprs='${round()}':s=${rate}:d=${ROUND_SECONDS},aloop=loop=${rounds - 1}:size=${samples}`;
  return [
    ...['-hide_banner', '-loglevel', 'error', '-nostdin', '-y', '-f', 'lavfi', '-i', graph],
    // One frame more than is used: the last one of an encoder is not always whole.
    ...['-c:a', 'aac', '-b:a', '96k', '-frames:a', String(aacFrames(seconds) + 1), '-f', 'adts'],
  ];
}

/** One round as an expression of ffmpeg's `aevalsrc`: around -30 dBFS of music, -9 dBFS of alarm, then zeros. */
function round(): string {
  const { chordSeconds, musicSeconds, alarmSeconds } = SOUND;
  const phase = `mod(t,${chordSeconds})`;
  const swell = `min(1,5*${phase})*min(1,5*(${chordSeconds}-${phase}))*exp(-0.35*${phase})`;
  const chords = CHORDS.map((notes, index) => {
    const sum = notes.map((hz) => `sin(2*PI*${hz}*t)`).join('+');
    return `eq(mod(floor(t/${chordSeconds}),${CHORDS.length}),${index})*(${sum})`;
  });
  const music = `0.045*${swell}*(${chords.join('+')})`;
  const alarm = `0.5*sin(2*PI*if(lt(mod(t,1),0.5),880,660)*t)`;
  return `if(lt(t,${musicSeconds}),${music},if(lt(t,${musicSeconds + alarmSeconds}),${alarm},0))`;
}
