const free = 0;
const inside = 1;
const barred = 2;

/**
 * Keeps a thread from being ended while it is inside native code. Ending a thread during onnxruntime's `run` or
 * `create` aborts the whole process (`Napi::Error`, SIGABRT): its result finds no JavaScript to return to. So the
 * thread passes this gate on its way in and out, and its owner ends it only after having barred the gate.
 */
export class NativeGate {
  private readonly state: Int32Array;

  /** @param memory shared by the thread and its owner, from {@link memory} of the other side */
  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.state = new Int32Array(memory);
  }

  /**
   * The thread's side: runs native code inside the gate.
   * @throws Error when the gate is barred: the thread is about to be ended
   */
  async within<Result>(work: () => Promise<Result>): Promise<Result> {
    if (Atomics.compareExchange(this.state, 0, free, inside) !== free) throw new Error('The thread is being ended.');
    try {
      return await work();
    } finally {
      Atomics.store(this.state, 0, free);
    }
  }

  /** The owner's side: true when the thread is outside and can no longer get in. */
  bar(): boolean {
    return Atomics.compareExchange(this.state, 0, free, barred) !== inside;
  }
}
