// Which tools are there?  The answer of `describe`, in the shape of MCP's tools/list.

const BYTES: string =
  '"text":{"type":"string","description":"Hash the UTF-8 bytes of this text."},' +
  '"base64":{"type":"string","description":"Hash the bytes this Base64 stands for."},' +
  '"hex":{"type":"string","description":"Hash the bytes these hex digits stand for."}';

const SEED: string =
  '"seed":{"description":"Seed of xxHash64, 0 to 18446744073709551615; a string where numbers are ' +
  'doubles.","default":0,"anyOf":[{"type":"integer","minimum":0,"maximum":18446744073709551615},' +
  '{"type":"string","pattern":"^[0-9]{1,20}$"}]}';

const ONE_OF: string =
  '"oneOf":[{"required":["text"]},{"required":["base64"]},{"required":["hex"]}],' +
  '"additionalProperties":false';

const BYTE_COUNT: string =
  '"bytes":{"type":"integer","description":"How many bytes were hashed."}';

function input(properties: string): string {
  return '{"type":"object","properties":{' + properties + "}," + ONE_OF + "}";
}

function output(properties: string, required: string): string {
  return (
    '{"type":"object","properties":{' + properties + "," + BYTE_COUNT +
    '},"required":[' + required + ',"bytes"]}'
  );
}

function hexDigits(name: string, count: i32): string {
  return '"' + name + '":{"type":"string","pattern":"^[0-9a-f]{' + count.toString() + '}$"}';
}

function tool(name: string, description: string, inputs: string, outputs: string): string {
  return (
    '{"name":"' + name + '","description":"' + description + '","inputSchema":' + inputs +
    ',"outputSchema":' + outputs + ',"annotations":{"readOnlyHint":true,"idempotentHint":true}}'
  );
}

function single(name: string, description: string, inputs: string, digits: i32): string {
  const outputs = output(
    '"algorithm":{"const":"' + name + '"},' + hexDigits("hex", digits),
    '"algorithm","hex"',
  );
  return tool(name, description, inputs, outputs);
}

/** Returns what `describe` answers. */
export function toolList(): string {
  const plain = input(BYTES);
  const seeded = input(BYTES + "," + SEED);
  const every = output(
    hexDigits("crc32", 8) + "," + hexDigits("xxhash64", 16) + "," + hexDigits("sha256", 64),
    '"crc32","xxhash64","sha256"',
  );
  return (
    '{"tools":[' +
    single("crc32", "CRC-32 as zlib, gzip and PNG compute it.", plain, 8) + "," +
    single("xxhash64", "xxHash64 (XXH64), fast and not cryptographic.", seeded, 16) + "," +
    single("sha256", "SHA-256 (FIPS 180-4), cryptographic.", plain, 64) + "," +
    tool("all", "CRC-32, xxHash64 and SHA-256 of the same bytes.", seeded, every) +
    "]}"
  );
}
