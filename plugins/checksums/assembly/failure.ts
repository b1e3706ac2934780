// What went wrong first?  AssemblyScript cannot catch exceptions, so functions are handed one of these.

/** Keeps the first message it is given. */
export class Failure {
  message: string = "";

  get happened(): bool {
    return this.message.length > 0;
  }

  set(message: string): void {
    if (!this.happened) this.message = message;
  }
}
