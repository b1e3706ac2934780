// What does the plugin export?  `describe` and `handle_tool_call` (contracts/wire/wasm.md).

import { Host } from "@extism/as-pdk";

import { crc32 } from "./crc32";
import { hexOf, hexOfNumber } from "./encoding";
import { Failure } from "./failure";
import { quoted } from "./json";
import { Request, readRequest } from "./request";
import { sha256 } from "./sha256";
import { toolList } from "./tools";
import { xxhash64 } from "./xxhash64";

export function describe(): i32 {
  return answer(toolList());
}

export function handle_tool_call(): i32 {
  const failure = new Failure();
  const request = readRequest(Host.input(), failure);
  if (!failure.happened && request.hasSeed && request.tool != "xxhash64" && request.tool != "all") {
    failure.set("`seed` is for `xxhash64` and `all`; `" + request.tool + "` takes none");
  }
  const data = failure.happened ? "" : hash(request, failure);
  if (failure.happened) {
    const message = quoted(failure.message);
    return answer('{"error":{"type":"invalid-arguments","message":' + message + "}}");
  }
  return answer('{"data":' + data + "}");
}

/** Where AssemblyScript goes when it cannot continue, such as when memory is used up. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}

function hash(request: Request, failure: Failure): string {
  const tool = request.tool;
  const data = request.data;
  if (tool == "crc32") return single(tool, crc32Hex(data), data);
  if (tool == "xxhash64") return single(tool, xxhash64Hex(data, request.seed), data);
  if (tool == "sha256") return single(tool, hexOf(sha256(data)), data);
  if (tool == "all") return every(data, request.seed);
  failure.set("there is no tool " + tool + "; use crc32, xxhash64, sha256 or all");
  return "";
}

function single(algorithm: string, hex: string, data: Uint8Array): string {
  return `{"algorithm":"${algorithm}","hex":"${hex}","bytes":${data.length}}`;
}

function every(data: Uint8Array, seed: u64): string {
  const crc = crc32Hex(data);
  const xxh = xxhash64Hex(data, seed);
  const sha = hexOf(sha256(data));
  return `{"crc32":"${crc}","xxhash64":"${xxh}","sha256":"${sha}","bytes":${data.length}}`;
}

function crc32Hex(data: Uint8Array): string {
  return hexOfNumber(crc32(data), 8);
}

function xxhash64Hex(data: Uint8Array, seed: u64): string {
  return hexOfNumber(xxhash64(data, seed), 16);
}

/** Writes `text` as the answer; as-pdk's `outputString` counts UTF-16 units and would cut it short. */
function answer(text: string): i32 {
  Host.output(Uint8Array.wrap(String.UTF8.encode(text)));
  return 0;
}
