// How is JSON read and written?  RFC 8259, straight from UTF-8 bytes; strings come out as UTF-8 too.

import { hexDigit } from "./encoding";
import { Failure } from "./failure";

/** The wire nests no deeper (section 2.3). */
const MAX_DEPTH: i32 = 64;

/** Reads one JSON document; after the first failure every method returns something empty. */
export class JsonReader {
  private at: i32 = 0;

  constructor(private source: Uint8Array, private failure: Failure) {}

  /** Consumes `{`. */
  enterObject(): void {
    if (this.peek() != 0x7b) return this.refuse("an object");
    this.at++;
  }

  /** Consumes a comma and a key and returns the key, or consumes `}` and returns null. */
  nextKey(first: bool): string | null {
    if (this.failure.happened) return null;
    let byte = this.peek();
    if (byte == 0x7d) {
      this.at++;
      return null;
    }
    if (!first) {
      if (byte != 0x2c) {
        this.refuse("`,` or `}`");
        return null;
      }
      this.at++;
    }
    const key = this.readString();
    if (this.peek() != 0x3a) this.refuse("`:`");
    else this.at++;
    return this.failure.happened ? null : decoded(key);
  }

  /** Says whether a string comes next. */
  atString(): bool {
    return this.peek() == 0x22;
  }

  /** Reads a string and returns its UTF-8 bytes, escapes resolved. */
  readString(): Uint8Array {
    if (this.peek() != 0x22) {
      this.refuse("a string");
      return new Uint8Array(0);
    }
    const start = ++this.at;
    const end = this.endOfString();
    // An escape is never shorter than what it stands for, so this is room enough.
    const text = new Uint8Array(end - start);
    let length = 0;
    while (this.at < end && !this.failure.happened) {
      const byte = this.source[this.at];
      if (byte == 0x5c) length = this.readEscape(text, length);
      else if (byte < 0x20) this.refuse("no control character inside a string");
      else if (byte < 0x80) {
        text[length++] = byte;
        this.at++;
      } else length = this.copyCharacter(text, length, end);
    }
    this.at = end + 1;
    return this.failure.happened ? new Uint8Array(0) : text.subarray(0, length);
  }

  /** Reads a number and returns it as it is written. */
  readNumber(): string {
    this.peek();
    const start = this.at;
    this.accept(0x2d);
    if (!this.accept(0x30) && !this.digits()) this.refuse("a value");
    if (this.accept(0x2e) && !this.digits()) this.refuse("a digit");
    if (this.accept(0x65) || this.accept(0x45)) {
      if (!this.accept(0x2b)) this.accept(0x2d);
      if (!this.digits()) this.refuse("a digit");
    }
    return decoded(this.source.subarray(start, this.at));
  }

  /** Reads past any value. */
  skip(depth: i32 = 1): void {
    if (this.failure.happened) return;
    if (depth > MAX_DEPTH) return this.refuse("at most 64 levels");
    const byte = this.peek();
    if (byte == 0x22) this.readString();
    else if (byte == 0x7b) this.skipObject(depth);
    else if (byte == 0x5b) this.skipArray(depth);
    else if (byte == 0x74) this.literal("true");
    else if (byte == 0x66) this.literal("false");
    else if (byte == 0x6e) this.literal("null");
    else this.readNumber();
  }

  /** Fails unless only white space is left. */
  finish(): void {
    this.peek();
    if (this.at != this.source.length) this.refuse("the end of the input");
  }

  private skipObject(depth: i32): void {
    this.enterObject();
    for (let first = true; this.nextKey(first) !== null; first = false) this.skip(depth + 1);
  }

  private skipArray(depth: i32): void {
    this.at++;
    if (this.peek() == 0x5d) {
      this.at++;
      return;
    }
    while (!this.failure.happened) {
      this.skip(depth + 1);
      const byte = this.peek();
      if (byte == 0x5d) {
        this.at++;
        return;
      }
      if (byte != 0x2c) return this.refuse("`,` or `]`");
      this.at++;
    }
  }

  /** Returns the next byte that is not white space, or 0 at the end. */
  private peek(): u8 {
    while (this.at < this.source.length) {
      const byte = this.source[this.at];
      if (byte != 0x20 && byte != 0x0a && byte != 0x0d && byte != 0x09) return byte;
      this.at++;
    }
    return 0;
  }

  private endOfString(): i32 {
    for (let end = this.at; end < this.source.length; end++) {
      const byte = this.source[end];
      if (byte == 0x22) return end;
      if (byte == 0x5c) end++;
    }
    this.refuse("the end of a string");
    return this.source.length;
  }

  /** Resolves the escape at `at` into `text` and returns the new length. */
  private readEscape(text: Uint8Array, length: i32): i32 {
    const name = this.source[this.at + 1];
    this.at += 2;
    if (name == 0x75) return writeCharacter(text, length, this.readCodePoint());
    let byte: u8 = name;
    if (name == 0x6e) byte = 0x0a;
    else if (name == 0x74) byte = 0x09;
    else if (name == 0x72) byte = 0x0d;
    else if (name == 0x62) byte = 0x08;
    else if (name == 0x66) byte = 0x0c;
    else if (name != 0x22 && name != 0x5c && name != 0x2f) this.refuse("an escape JSON knows");
    text[length] = byte;
    return length + 1;
  }

  /** Reads the digits behind `\u`, and the second half of a surrogate pair. */
  private readCodePoint(): u32 {
    const unit = this.fourDigits();
    if (unit < 0xd800 || unit > 0xdfff) return unit;
    if (unit < 0xdc00 && this.accept(0x5c) && this.accept(0x75)) {
      const low = this.fourDigits();
      if (low >= 0xdc00 && low <= 0xdfff) {
        return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
      }
    }
    this.refuse("both halves of a surrogate pair");
    return 0;
  }

  private fourDigits(): u32 {
    let unit: u32 = 0;
    for (let index = 0; index < 4; index++) {
      const value = this.at < this.source.length ? hexDigit(this.source[this.at]) : -1;
      if (value < 0) {
        this.refuse("four hex digits");
        return 0;
      }
      unit = (unit << 4) | value;
      this.at++;
    }
    return unit;
  }

  /** Copies one character of two bytes or more, and refuses what is not UTF-8 (RFC 3629). */
  private copyCharacter(text: Uint8Array, length: i32, end: i32): i32 {
    const lead = this.source[this.at];
    const size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    let point: u32 = lead & (<u32>0x7f >> size);
    for (let index = 1; index < size; index++) {
      const byte: u32 = this.at + index < end ? this.source[this.at + index] : 0;
      if ((byte & 0xc0) != 0x80) point = u32.MAX_VALUE >> 6;
      point = (point << 6) | (byte & 0x3f);
    }
    const smallest: u32 = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
    const surrogate = point >= 0xd800 && point <= 0xdfff;
    if (lead < 0xc0 || lead > 0xf4 || point < smallest || point > 0x10ffff || surrogate) {
      this.refuse("UTF-8");
      return length;
    }
    for (let index = 0; index < size; index++) text[length + index] = this.source[this.at + index];
    this.at += size;
    return length + size;
  }

  private accept(byte: u8): bool {
    if (this.at >= this.source.length || this.source[this.at] != byte) return false;
    this.at++;
    return true;
  }

  private digits(): bool {
    const start = this.at;
    while (this.at < this.source.length && isDigit(this.source[this.at])) this.at++;
    return this.at > start;
  }

  private literal(word: string): void {
    for (let index = 0; index < word.length; index++) {
      if (!this.accept(<u8>word.charCodeAt(index))) return this.refuse("a value");
    }
  }

  private refuse(expected: string): void {
    this.failure.set("the input is not JSON at byte " + this.at.toString() + ": expected " + expected);
  }
}

/** Returns the text that UTF-8 `bytes` are. */
export function decoded(bytes: Uint8Array): string {
  return String.UTF8.decodeUnsafe(bytes.dataStart, bytes.length);
}

/** Returns `text` as a JSON string. */
export function quoted(text: string): string {
  let json = '"';
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit == 0x22 || unit == 0x5c) json += "\\" + text.charAt(index);
    else if (unit < 0x20) json += "\\u00" + (unit < 16 ? "0" : "") + unit.toString(16);
    else json += text.charAt(index);
  }
  return json + '"';
}

export function isDigit(byte: u8): bool {
  return byte >= 0x30 && byte <= 0x39;
}

function writeCharacter(text: Uint8Array, length: i32, point: u32): i32 {
  if (point < 0x80) {
    text[length] = <u8>point;
    return length + 1;
  }
  const size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  for (let index = size - 1; index > 0; index--) {
    text[length + index] = <u8>(0x80 | (point & 0x3f));
    point >>= 6;
  }
  text[length] = <u8>((0xf00 >> size) | point);
  return length + size;
}
