// Which protocol does the other side speak, and what does it offer?

import { Refusal } from "./errors.mjs";
import { isObject } from "./framing.mjs";

/** The version of our extensions, `capabilities.experimental.plughost.version` (wire §4.4). */
export const WIRE_VERSION = "1.0.0";
/** Handshake revisions whose tool messages are the same for us; the newest first. */
const REVISIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
/** Revisions without a handshake (wire §4.7). */
const STATELESS = ["2026-07-28"];
const VERSION_KEY = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities";
const LOG_LEVEL_KEY = "io.modelcontextprotocol/logLevel";
const SERVER_INFO_KEY = "io.modelcontextprotocol/serverInfo";

/** MCP's log levels, the least important first. */
export const LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/** What is known about the other side of this session. */
export class Peer {
  greeted = false;
  extensions = false;
  features = new Set();
  rank = 0;
}

/**
 * Answer `initialize` (wire §4.1-§4.4) and note in *peer* what it said.
 *
 * @param {Peer} peer
 * @param {object} params
 * @param {{name: string, version: string, features: string[]}} self
 */
export function greet(peer, params, self) {
  if (peer.greeted) throw new Refusal(-32600, "initialize was answered already in this session");
  if (typeof params.protocolVersion !== "string")
    throw new Refusal(-32602, "initialize lacks protocolVersion");
  const theirs = params.capabilities?.experimental?.plughost;
  if (isObject(theirs)) {
    refuseMismatch(String(theirs.version));
    peer.extensions = true;
    peer.features = new Set(Array.isArray(theirs.features) ? theirs.features : []);
  }
  peer.greeted = true;
  const capabilities = { tools: { listChanged: true }, logging: {} };
  if (peer.extensions) {
    capabilities.experimental = { plughost: { version: WIRE_VERSION, features: self.features } };
  }
  const known = REVISIONS.includes(params.protocolVersion);
  return {
    protocolVersion: known ? params.protocolVersion : REVISIONS[0],
    capabilities,
    serverInfo: { name: self.name, version: self.version },
  };
}

/** Answer `server/discover` (wire §4.7). */
export function discovered(self) {
  return {
    supportedVersions: STATELESS,
    capabilities: { tools: {}, logging: {} },
    ttlMs: 0,
    cacheScope: "private",
    _meta: { [SERVER_INFO_KEY]: { name: self.name, version: self.version } },
  };
}

/**
 * Return the rules one request is served by: its own words, else the session's.
 *
 * @returns {{stateless: boolean, extensions: boolean, logRank: () => number}}
 */
export function eraOf(params, peer) {
  const meta = params._meta;
  if (!isObject(meta) || !Object.hasOwn(meta, VERSION_KEY)) {
    return { stateless: false, extensions: peer.extensions, logRank: () => peer.rank };
  }
  const requested = meta[VERSION_KEY];
  if (!STATELESS.includes(requested)) {
    throw new Refusal(
      -32022,
      `protocol version ${String(requested)} is not supported without a handshake`,
      "",
      {
        data: { supported: STATELESS, requested },
      },
    );
  }
  if (!isObject(meta[CAPABILITIES_KEY])) {
    throw new Refusal(-32602, `_meta[${JSON.stringify(CAPABILITIES_KEY)}] is missing, or no object`);
  }
  const rank = LEVELS.indexOf(meta[LOG_LEVEL_KEY]);
  // Without a level of its own a stateless request gets no log at all.
  const logRank = rank < 0 ? Infinity : rank;
  return { stateless: true, extensions: false, logRank: () => logRank };
}

/** Add to a result what the stateless revision wants on each. */
export function complete(result, isList) {
  return isList
    ? { ...result, resultType: "complete", ttlMs: 0, cacheScope: "private" }
    : { ...result, resultType: "complete" };
}

/** Tell whether two versions match by caret: the same major, for 0.x the same minor. */
export function isCompatible(one, other) {
  const [a, b] = [one, other].map((version) => /^(\d+)\.(\d+)\.\d+(?:[-+].*)?$/.exec(version));
  return a !== null && b !== null && a[1] === b[1] && (a[1] !== "0" || a[2] === b[2]);
}

function refuseMismatch(version) {
  if (isCompatible(version, WIRE_VERSION)) return;
  throw new Refusal(
    -32602,
    `the host speaks plughost ${version} and this plugin's SDK ${WIRE_VERSION}, which do not match: ` +
      "update the older of the two",
    "plugin-start-failed",
  );
}
