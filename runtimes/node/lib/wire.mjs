// How do bytes get in and out?  Descriptors become lines; lines become writes.

import { createReadStream, fstatSync, writeSync } from "node:fs";
import { Socket } from "node:net";

import { LineSplitter } from "./framing.mjs";

/** Wire §2.2, until `plughost/activate` says otherwise. */
export const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;
/** One pipe's capacity (pipe(7)): a larger buffer never fills in one read. */
const READ_BYTES = 64 * 1024;

/**
 * The two ends of the conversation.
 *
 * `Socket` on a pipe reads and writes without the thread pool, which `fs` streams need:
 * 52 µs against 60 µs for a round trip, at the same cost of starting.
 * Answers of one turn of the event loop leave in one write; what a tool says while it runs
 * leaves at once, because a tool that computes holds the loop.
 */
export class Wire {
  #splitter;
  #unsent = "";
  #flushing = false;
  #socket = null;
  #writeFd;
  #ended = false;
  #onEnd;

  /**
   * @param {{readFd: number, writeFd: number}} descriptors
   * @param {{onLine: (line: Buffer) => void, onOversize: (head: Buffer) => void, onEnd: () => void}} to
   */
  constructor({ readFd, writeFd }, { onLine, onOversize, onEnd }) {
    this.#splitter = new LineSplitter(DEFAULT_MAX_BYTES, onLine, onOversize);
    this.#onEnd = onEnd;
    this.#writeFd = writeFd;
    this.#openWriter();
    this.#openReader(readFd);
  }

  get maxBytes() {
    return this.#splitter.maxBytes;
  }

  set maxBytes(bytes) {
    this.#splitter.maxBytes = bytes;
  }

  /** Bytes that wait because the reader on the other side is slow. */
  get backlogBytes() {
    return (this.#socket?.writableLength ?? 0) + this.#unsent.length;
  }

  /** Send a line at the end of this turn of the event loop. */
  send(line) {
    this.#unsent += line;
    if (this.#flushing) return;
    this.#flushing = true;
    process.nextTick(() => this.flush());
  }

  /** Send a line, and all before it, now. */
  sendNow(line) {
    this.#unsent += line;
    this.flush();
  }

  flush() {
    this.#flushing = false;
    const text = this.#unsent;
    if (text === "" || this.#ended) return;
    this.#unsent = "";
    if (this.#socket) this.#socket.write(text);
    else writeFully(this.#writeFd, Buffer.from(text));
  }

  /** Wait until everything has left, at most *timeoutMs*. */
  async drain(timeoutMs) {
    this.flush();
    if (!this.#socket || this.#socket.writableLength === 0 || this.#socket.destroyed) return;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      // An empty write's callback comes after the bytes before it have left.
      this.#socket.write("", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #openReader(fd) {
    const feed = (chunk) => this.#splitter.feed(chunk);
    let source;
    if (isPipe(fd)) {
      const onread = {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (bytes, buffer) => {
          feed(buffer.subarray(0, bytes));
          return true;
        },
      };
      source = new Socket({ fd, readable: true, writable: false, onread });
    } else {
      // Standalone with a file or /dev/null on 0: `node main.mjs < requests.jsonl`.
      source = createReadStream("", { fd, autoClose: false });
      source.on("data", feed);
    }
    source.on("end", () => this.#end());
    source.on("error", () => this.#end());
    source.on("close", () => this.#end());
  }

  #openWriter() {
    if (!isPipe(this.#writeFd)) return;
    this.#socket = new Socket({ fd: this.#writeFd, readable: false, writable: true });
    // EPIPE: nobody reads any more, which is the end as well.
    this.#socket.on("error", () => {
      this.#ended = true;
      this.#end();
    });
  }

  #end() {
    const tell = this.#onEnd;
    this.#onEnd = () => {};
    tell();
  }
}

/** Pipes and sockets can be polled; files, terminals and /dev/null cannot. */
function isPipe(fd) {
  const status = fstatSync(fd);
  return status.isFIFO() || status.isSocket();
}

function writeFully(fd, bytes) {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}
