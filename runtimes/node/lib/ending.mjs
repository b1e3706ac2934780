// How does the plugin's process end?

import { logLine } from "./descriptors.mjs";
import { stackOf } from "./errors.mjs";
import { logFailure } from "./results.mjs";

/** Wire §1.4: two seconds from end-of-file to exit, of which a tenth is for leaving. */
const GRACE_MS = 1_800;
/** The share of the grace that calls in flight get to end; the rest is onCleanup's. */
const SHARE_OF_CALLS = 0.25;
/** The longest the last answers may take to leave a full pipe. */
const DRAIN_MS = 200;
/** Wire §11.2: anything but 0, 64 and 78 is a crash. */
const EXIT_CRASHED = 1;

/**
 * End in good order: stop the calls, run `onCleanup`, answer, exit 0.
 *
 * @param {import("./session.mjs").Session} session
 * @param {{graceMs?: number, except?: string | number, answer?: () => void}} how *except*: the
 *   request that asked for the end and must not wait for itself.
 */
export async function finish(session, { graceMs = GRACE_MS, except, answer } = {}) {
  if (session.closing) return;
  session.closing = true;
  const budgetMs = Math.min(graceMs, GRACE_MS);
  const calls = session.served.filter(({ id }) => id !== except);
  for (const { cancellation } of calls) cancellation.cancel("the plugin is stopping");
  if (!answer) session.abandonAsked("the host has gone");
  await atMost(budgetMs * SHARE_OF_CALLS, Promise.allSettled(calls.map(({ done }) => done)));
  await atMost(budgetMs * (1 - SHARE_OF_CALLS), cleanUp(session.plugin));
  answer?.();
  await session.wire.drain(DRAIN_MS);
  process.exit(0);
}

/** Make an error nobody caught a crash that says what it was and whom it hit. */
export function explainCrashes(session) {
  process.on("uncaughtException", (thrown, origin) => {
    const what =
      origin === "unhandledRejection" ? "a rejected promise nobody handled" : "an exception nobody caught";
    const serving = session.served.map(({ tool, method }) => tool ?? method).join(", ");
    logLine(`plughost: crashed by ${what}${serving ? ` while serving ${serving}` : ""}: ${stackOf(thrown)}`);
    // While it ends anyway, a failing timer must not turn the clean end into a crash.
    if (session.closing) return;
    session.wire.flush();
    process.exit(EXIT_CRASHED);
  });
}

async function cleanUp(plugin) {
  try {
    await plugin.handlers.cleanup?.();
  } catch (thrown) {
    logFailure("onCleanup", thrown);
  }
}

async function atMost(limitMs, work) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
