/** Somebody who waits for an answer. */
interface Asker<Value> {
  resolve: (value: Value | undefined) => void;
  reject: (error: unknown) => void;
}

/**
 * Answers questions that come close together with one look-up. A look-up always begins after the questions that it
 * answers: those that come while one is under way wait for the next, so that no answer is older than its question.
 */
export class Gathering<Key, Value> {
  private readonly waiting = new Map<Key, Asker<Value>[]>();
  private running = false;

  /**
   * @param lookUp the answers to all keys; one that it leaves out has none.
   * @param most keys of one look-up.
   */
  constructor(
    private readonly lookUp: (keys: Key[]) => Promise<ReadonlyMap<Key, Value>>,
    private readonly most = 500,
  ) {}

  /** @returns undefined where there is no answer. @throws what the look-up throws. */
  ask(key: Key): Promise<Value | undefined> {
    return new Promise((resolve, reject) => {
      const askers = this.waiting.get(key);
      if (askers === undefined) this.waiting.set(key, [{ resolve, reject }]);
      else askers.push({ resolve, reject });
      if (this.running) return;
      this.running = true;
      // Whatever else has arrived by now belongs to the first look-up, too.
      setImmediate(() => void this.run());
    });
  }

  private async run(): Promise<void> {
    while (this.waiting.size > 0) {
      const asked = [...this.waiting].slice(0, this.most);
      for (const [key] of asked) this.waiting.delete(key);
      try {
        const answers = await this.lookUp(asked.map(([key]) => key));
        for (const [key, askers] of asked) for (const { resolve } of askers) resolve(answers.get(key));
      } catch (error) {
        for (const [, askers] of asked) for (const { reject } of askers) reject(error);
      }
    }
    this.running = false;
  }
}
