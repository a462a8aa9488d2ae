import { FRAME_MS } from './pcm.js';

/** Below this no speech is understood by any engine, dBFS. */
const FLOOR_DBFS = -45;
/** How long the gate stays open after the last loud frame, ms: pauses within speech must reach the voice detector. */
const HOLD_MS = 600;

/** Keeps silence from the voice detector, which costs far more than a look at the level. */
export class LevelGate {
  private heldMs = 0;

  constructor(private readonly floorDbfs: number = FLOOR_DBFS) {}

  /**
   * Takes the level of the next frame.
   * @returns `shut`: nothing to hear; `opened`: the first frame after silence; `open`: sound goes on
   */
  pass(levelDbfs: number): 'shut' | 'opened' | 'open' {
    const wasOpen = this.heldMs > 0;
    this.heldMs = levelDbfs >= this.floorDbfs ? HOLD_MS : Math.max(0, this.heldMs - FRAME_MS);
    if (this.heldMs === 0) return 'shut';
    return wasOpen ? 'open' : 'opened';
  }
}
