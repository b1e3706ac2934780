// How do bytes become text and back?  Hex (RFC 4648 section 8) and Base64 (section 4), strictly.

import { Failure } from "./failure";

const DIGITS = "0123456789abcdef";

/** Returns `data` as lower-case hex. */
export function hexOf(data: Uint8Array): string {
  let text = "";
  for (let index = 0; index < data.length; index++) {
    text += DIGITS.charAt(data[index] >> 4) + DIGITS.charAt(data[index] & 15);
  }
  return text;
}

/** Returns `value` as `digits` lower-case hex digits. */
export function hexOfNumber(value: u64, digits: i32): string {
  let text = "";
  for (let shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
    text += DIGITS.charAt(<i32>((value >> shift) & 15));
  }
  return text;
}

/** Returns the bytes that the hex digits in `text` stand for. */
export function bytesOfHex(text: Uint8Array, failure: Failure): Uint8Array {
  const data = new Uint8Array(text.length >> 1);
  if (text.length & 1) {
    failure.set("`hex` has " + text.length.toString() + " digits; two make a byte");
    return data;
  }
  for (let index = 0; index < text.length; index++) {
    const value = hexDigit(text[index]);
    if (value < 0) {
      failure.set("`hex` has something else than a hex digit at position " + index.toString());
      return data;
    }
    data[index >> 1] = <u8>((data[index >> 1] << 4) | value);
  }
  return data;
}

/** Returns the value of one hex digit, or -1. */
export function hexDigit(character: u8): i32 {
  if (character >= 0x30 && character <= 0x39) return character - 0x30;
  const lower = character | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

/** Returns the bytes that the Base64 in `text` stands for; padding is required, white space refused. */
export function bytesOfBase64(text: Uint8Array, failure: Failure): Uint8Array {
  if (text.length & 3) {
    failure.set("`base64` has " + text.length.toString() + " characters, not a multiple of 4");
    return new Uint8Array(0);
  }
  const size = text.length;
  const pads = size == 0 || text[size - 1] != 0x3d ? 0 : text[size - 2] != 0x3d ? 1 : 2;
  const data = new Uint8Array((size >> 2) * 3 - pads);
  let written = 0;
  for (let at = 0; at < size; at += 4) {
    let group: u32 = 0;
    for (let index = at; index < at + 4; index++) {
      const value = index >= size - pads ? 0 : sextet(text[index]);
      if (value < 0) {
        failure.set("`base64` has something else than Base64 at position " + index.toString());
        return data;
      }
      group = (group << 6) | value;
    }
    const bytes = min(3, data.length - written);
    // Bits behind the last byte must be zero, or two texts would mean the same bytes.
    if (group & ((1 << ((3 - bytes) * 8)) - 1)) {
      failure.set("`base64` ends with bits that are not part of a byte");
      return data;
    }
    for (let index = 0; index < bytes; index++) {
      data[written++] = <u8>(group >> (16 - 8 * index));
    }
  }
  return data;
}

function sextet(character: u8): i32 {
  if (character >= 0x41 && character <= 0x5a) return character - 0x41;
  if (character >= 0x61 && character <= 0x7a) return character - 0x61 + 26;
  if (character >= 0x30 && character <= 0x39) return character - 0x30 + 52;
  return character == 0x2b ? 62 : character == 0x2f ? 63 : -1;
}
