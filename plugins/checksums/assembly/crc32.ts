// How is CRC-32 computed?  As zlib, gzip and PNG do: polynomial 0x04C11DB7, reflected.

/** The polynomial with its bits reversed (ISO 3309, RFC 1952 section 8). */
const REFLECTED_POLYNOMIAL: u32 = 0xedb88320;

/** Returns the CRC-32 of `data`. */
export function crc32(data: Uint8Array): u32 {
  const table = byteTable();
  const end = data.dataStart + data.length;
  let register: u32 = 0xffffffff;
  for (let at = data.dataStart; at < end; at++) {
    const index = (register ^ load<u8>(at)) & 0xff;
    register = (register >> 8) ^ unchecked(table[index]);
  }
  return ~register;
}

/** The register's change for each value of one byte; 2 us to make, an instance lives for one call. */
function byteTable(): StaticArray<u32> {
  const table = new StaticArray<u32>(256);
  for (let byte: u32 = 0; byte < 256; byte++) {
    let register = byte;
    for (let bit = 0; bit < 8; bit++) {
      register = register & 1 ? (register >> 1) ^ REFLECTED_POLYNOMIAL : register >> 1;
    }
    unchecked((table[byte] = register));
  }
  return table;
}
