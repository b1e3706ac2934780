// What changed between two texts, as a unified diff?
//
// E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), section 4b: linear
// space by splitting at the middle snake.  Like git's xdiff, the search for the middle is bounded:
// past the bound it splits at the furthest point reached, so the time is O(N · bound) and the
// diff stays correct, only not always the shortest.

import { Pace } from "./pace.mjs";

/** Edits searched before a split is settled for; git's XDL_MAX_COST_MIN. */
const MAX_COST = 256;

/**
 * @param {string} before
 * @param {string} after
 * @param {{context?: number, signal?: AbortSignal}} options *context*: unchanged lines around a change.
 */
export async function diffTexts(before, after, { context = 3, signal } = {}) {
  const [a, b] = [splitLines(before), splitLines(after)];
  const changed = await findChanges(a, b, new Pace(signal));
  const hunks = gatherHunks(changed, a.length, b.length, context);
  const head = hunks.length > 0 ? "--- before\n+++ after\n" : "";
  return {
    diff: head + hunks.map((hunk) => writeHunk(hunk, a, b)).join(""),
    added: changed.b.reduce((sum, flag) => sum + flag, 0),
    removed: changed.a.reduce((sum, flag) => sum + flag, 0),
    hunks: hunks.length,
    identical: hunks.length === 0,
  };
}

/** Lines with their ends, so that a missing last newline is a difference. */
function splitLines(text) {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Mark the lines of each side that the other does not have in their place. */
async function findChanges(a, b, pace) {
  const changed = { a: new Uint8Array(a.length), b: new Uint8Array(b.length) };
  const shared = keepShared(a, b, changed);
  const { left, right, leftAt, rightAt } = shared;
  const search = new MiddleSearch(left, right);
  const boxes = [[0, left.length, 0, right.length]];
  while (boxes.length > 0) {
    if (pace.due) await pace.turn();
    let [x0, x1, y0, y1] = boxes.pop();
    while (x0 < x1 && y0 < y1 && left[x0] === right[y0]) [x0, y0] = [x0 + 1, y0 + 1];
    while (x0 < x1 && y0 < y1 && left[x1 - 1] === right[y1 - 1]) [x1, y1] = [x1 - 1, y1 - 1];
    if (x0 === x1 || y0 === y1) {
      for (let x = x0; x < x1; x += 1) changed.a[leftAt[x]] = 1;
      for (let y = y0; y < y1; y += 1) changed.b[rightAt[y]] = 1;
    } else {
      const [x, y] = search.split(x0, x1, y0, y1);
      boxes.push([x, x1, y, y1], [x0, x, y0, y]);
    }
  }
  return changed;
}

/** Number the lines, and mark at once those that only one side has: no search can match them. */
function keepShared(a, b, changed) {
  const numbers = new Map();
  const inB = new Set(b);
  const inA = new Set(a);
  const keep = (lines, other, flags) => {
    const [kept, at] = [[], []];
    lines.forEach((line, index) => {
      if (!other.has(line)) {
        flags[index] = 1;
        return;
      }
      if (!numbers.has(line)) numbers.set(line, numbers.size);
      kept.push(numbers.get(line));
      at.push(index);
    });
    return [Int32Array.from(kept), Int32Array.from(at)];
  };
  const [left, leftAt] = keep(a, inB, changed.a);
  const [right, rightAt] = keep(b, inA, changed.b);
  return { left, right, leftAt, rightAt };
}

/** Finds where to split a box; its two frontiers are allocated once for all boxes. */
class MiddleSearch {
  #left;
  #right;
  #forward;
  #backward;
  #zero;

  constructor(left, right) {
    this.#left = left;
    this.#right = right;
    // A bounded search leaves no diagonal further than the bound from its start.
    const reach = Math.min(left.length + right.length, MAX_COST) + 2;
    this.#zero = reach;
    this.#forward = new Int32Array(2 * reach + 1);
    this.#backward = new Int32Array(2 * reach + 1);
  }

  /** Return a point inside the box, other than its corners, that a short path goes through. */
  split(x0, x1, y0, y1) {
    const [width, height] = [x1 - x0, y1 - y0];
    const delta = width - height;
    const [forward, backward, zero] = [this.#forward, this.#backward, this.#zero];
    forward.fill(-1);
    backward.fill(-1);
    forward[zero + 1] = 0;
    backward[zero + 1] = 0;
    const limit = Math.min(Math.ceil((width + height) / 2), MAX_COST);
    for (let cost = 0; cost <= limit; cost += 1) {
      for (let k = -cost; k <= cost; k += 2) {
        const x = this.#advance(
          forward,
          k,
          cost,
          (u, v) => this.#left[x0 + u] === this.#right[y0 + v],
          width,
          height,
        );
        const opposite = delta - k;
        if (delta % 2 !== 0 && Math.abs(opposite) < cost && x >= 0 && backward[zero + opposite] >= 0) {
          if (x + backward[zero + opposite] >= width) return [x0 + x, y0 + x - k];
        }
      }
      for (let k = -cost; k <= cost; k += 2) {
        const x = this.#advance(
          backward,
          k,
          cost,
          (u, v) => this.#left[x1 - 1 - u] === this.#right[y1 - 1 - v],
          width,
          height,
        );
        const opposite = delta - k;
        if (delta % 2 === 0 && Math.abs(opposite) <= cost && x >= 0 && forward[zero + opposite] >= 0) {
          if (x + forward[zero + opposite] >= width) return [x1 - x, y1 - (x - k)];
        }
      }
    }
    return this.#furthest(x0, y0, limit);
  }

  /** Extend the frontier on diagonal *k* by one edit and the matches behind it. */
  #advance(frontier, k, cost, matches, width, height) {
    const zero = this.#zero;
    const [left, right] = [frontier[zero + k - 1], frontier[zero + k + 1]];
    // One line removed comes from the diagonal below, one line added from that above; -1 on a
    // diagonal, or a step out of the box, is no way to come.
    const removed = cost > 0 && left >= 0 && left < width ? left + 1 : -1;
    const added = right >= 0 && right - k <= height ? right : -1;
    let x = Math.max(removed, added);
    if (x < 0) return (frontier[zero + k] = -1);
    let y = x - k;
    while (x < width && y < height && matches(x, y)) [x, y] = [x + 1, y + 1];
    return (frontier[zero + k] = x);
  }

  #furthest(x0, y0, cost) {
    let [bestX, bestY] = [0, 0];
    for (let k = -cost; k <= cost; k += 2) {
      const x = this.#forward[this.#zero + k];
      if (x >= 0 && 2 * x - k > bestX + bestY) [bestX, bestY] = [x, x - k];
    }
    return [x0 + bestX, y0 + bestY];
  }
}

/** Join changes whose contexts touch; a hunk is [aStart, aEnd, bStart, bEnd] and its changes. */
function gatherHunks(changed, aLength, bLength, context) {
  const hunks = [];
  let [x, y] = [0, 0];
  while (x < aLength || y < bLength) {
    if (!changed.a[x] && !changed.b[y]) {
      [x, y] = [x + 1, y + 1];
      continue;
    }
    const [x0, y0] = [x, y];
    while (x < aLength && changed.a[x]) x += 1;
    while (y < bLength && changed.b[y]) y += 1;
    const last = hunks.at(-1);
    if (last && x0 - last.changes.at(-1)[1] <= 2 * context) last.changes.push([x0, x, y0, y]);
    else hunks.push({ changes: [[x0, x, y0, y]] });
  }
  for (const hunk of hunks) {
    const [[firstX, , firstY], [, lastX, , lastY]] = [hunk.changes[0], hunk.changes.at(-1)];
    const before = Math.min(context, firstX);
    const behind = Math.min(context, aLength - lastX);
    Object.assign(hunk, { x0: firstX - before, x1: lastX + behind, y0: firstY - before, y1: lastY + behind });
  }
  return hunks;
}

function writeHunk({ x0, x1, y0, y1, changes }, a, b) {
  let text = `@@ -${range(x0, x1)} +${range(y0, y1)} @@\n`;
  let x = x0;
  for (const [changeX0, changeX1, changeY0, changeY1] of changes) {
    for (; x < changeX0; x += 1) text += writeLine(" ", a[x]);
    for (; x < changeX1; x += 1) text += writeLine("-", a[x]);
    for (let y = changeY0; y < changeY1; y += 1) text += writeLine("+", b[y]);
  }
  for (; x < x1; x += 1) text += writeLine(" ", a[x]);
  return text;
}

/** POSIX diff -u: one line needs no count, and none is counted from the line before. */
function range(start, end) {
  const count = end - start;
  if (count === 1) return `${start + 1}`;
  return count === 0 ? `${start},0` : `${start + 1},${count}`;
}

function writeLine(mark, line) {
  return line.endsWith("\n") ? mark + line : `${mark}${line}\n\\ No newline at end of file\n`;
}
