// What was the plugin asked to hash?  Reads `{name, arguments}` and checks the arguments.

import { bytesOfBase64, bytesOfHex } from "./encoding";
import { Failure } from "./failure";
import { JsonReader, decoded, isDigit } from "./json";

/** One call: the tool, the bytes to hash, and the seed of xxhash64. */
export class Request {
  tool: string = "";
  data: Uint8Array = new Uint8Array(0);
  seed: u64 = 0;
  hasSeed: bool = false;
  source: string = "";
}

/** Reads `{name, arguments}`; look at `failure` before using the result. */
export function readRequest(input: Uint8Array, failure: Failure): Request {
  const request = new Request();
  const reader = new JsonReader(input, failure);
  reader.enterObject();
  let first = true;
  for (let key = reader.nextKey(first); key !== null; key = reader.nextKey(first)) {
    if (key == "name") request.tool = decoded(reader.readString());
    else if (key == "arguments") readArguments(reader, request, failure);
    else reader.skip();
    first = false;
  }
  reader.finish();
  if (!failure.happened && request.source == "") {
    failure.set("give the bytes to hash as one of `text`, `base64` or `hex`");
  }
  return request;
}

function readArguments(reader: JsonReader, request: Request, failure: Failure): void {
  reader.enterObject();
  let first = true;
  for (let key = reader.nextKey(first); key !== null; key = reader.nextKey(first)) {
    if (key == "seed") readSeed(reader, request, failure);
    else readBytes(key, reader, request, failure);
    first = false;
  }
}

function readBytes(key: string, reader: JsonReader, request: Request, failure: Failure): void {
  if (key != "text" && key != "base64" && key != "hex") {
    failure.set("`" + key + "` is not an argument; use `text`, `base64` or `hex`, and `seed`");
    return;
  }
  if (request.source != "") {
    failure.set("`" + request.source + "` and `" + key + "` are both given; give one of them");
    return;
  }
  if (!reader.atString()) {
    failure.set("`" + key + "` must be a string");
    return;
  }
  const text = reader.readString();
  if (failure.happened) return;
  request.source = key;
  if (key == "text") request.data = text;
  else if (key == "hex") request.data = bytesOfHex(text, failure);
  else request.data = bytesOfBase64(text, failure);
}

/** Reads 0 to 2^64-1, a number or decimal digits in a string (JavaScript cannot write them all). */
function readSeed(reader: JsonReader, request: Request, failure: Failure): void {
  const text = reader.atString() ? decoded(reader.readString()) : reader.readNumber();
  if (failure.happened) return;
  let seed: u64 = 0;
  let fits = text.length > 0;
  for (let index = 0; index < text.length && fits; index++) {
    const character = text.charCodeAt(index);
    const digit = <u64>(character - 0x30);
    fits = character < 0x80 && isDigit(<u8>character) && seed <= (u64.MAX_VALUE - digit) / 10;
    seed = seed * 10 + digit;
  }
  if (!fits) failure.set("`seed` must be an integer from 0 to 18446744073709551615");
  request.seed = seed;
  request.hasSeed = true;
}
