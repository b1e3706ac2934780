// Has the caller given up, and who wants to know?

import { CancelledError } from "./errors.mjs";

/** One request's way to be stopped; costs nothing until somebody looks (an AbortController is 2 µs). */
export class Cancellation {
  cancelled = false;
  #error = null;
  #controller = null;
  #listeners = null;

  get signal() {
    this.#controller ??= new AbortController();
    if (this.cancelled) this.#controller.abort(this.#error);
    return this.#controller.signal;
  }

  get error() {
    return this.#error;
  }

  cancel(reason) {
    if (this.cancelled) return;
    this.cancelled = true;
    this.#error = new CancelledError(typeof reason === "string" ? reason : "");
    this.#controller?.abort(this.#error);
    for (const listener of this.#listeners ?? []) listener(this.#error);
    this.#listeners = null;
  }

  /** Call *listener* on cancellation; the returned function takes it back. */
  onCancel(listener) {
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
    return () => this.#listeners?.delete(listener);
  }
}
