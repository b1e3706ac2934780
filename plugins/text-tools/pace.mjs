// How does long work let the event loop turn?

import { setImmediate } from "node:timers/promises";

/** A ping that waits this long is noticed by nobody; a turn costs 10 µs. */
const SLICE_MS = 20;

/** Give the event loop a turn now and then, and stop when the caller has given up. */
export class Pace {
  #signal;
  #sliceEndsMs = performance.now() + SLICE_MS;

  /** @param {AbortSignal} [signal] */
  constructor(signal) {
    this.#signal = signal;
  }

  /** Whether it is time to `await turn()`; cheap enough for every hundredth step. */
  get due() {
    return performance.now() >= this.#sliceEndsMs;
  }

  async turn() {
    await setImmediate();
    this.#signal?.throwIfAborted();
    this.#sliceEndsMs = performance.now() + SLICE_MS;
  }
}
