import { type PersonAttributes, verifiedNames } from "./person-attributes.ts";

// Adds a person to an OTLP message in protobuf. The messages of metrics, logs and traces start alike. Field 1 is the list of
// resources with their data. Field 1 of each is the resource, whose field 1 is the list of attributes. Other bytes pass unchanged.

const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;
const MAX_VARINT_BYTES = 10;
/** Number of the fields that are read, in each of the messages. */
const FIRST = 1;
const STRING_VALUE = 1;
const ARRAY_VALUE = 5;
const VALUE = 2;

interface Field {
  number: number;
  wireType: number;
  /** The field with its tag. */
  whole: Buffer;
  /** Content of a field with a length. Empty otherwise. */
  content: Buffer;
}

/**
 * Adds the person to each resource of the message, in place of what the client claims. Throws an Error for bytes that are no
 * protobuf.
 */
export function markProtobuf(body: Buffer, attributes: PersonAttributes): Buffer {
  const added = Array.from(attributes, ([name, value]) => writeAttribute(name, value));
  const parts = readFields(body).map((field) =>
    isMessage(field) ? writeField(FIRST, markEntry(field.content, added)) : field.whole,
  );
  return Buffer.concat(parts);
}

/** Marks the first resource of an entry. A further one would be merged into it, so its claims are removed too. */
function markEntry(entry: Buffer, added: readonly Buffer[]): Buffer {
  const fields = readFields(entry);
  const first = fields.find(isMessage);
  const parts = fields.map((field) => {
    if (!isMessage(field)) return field.whole;
    const others = removeClaims(field.content);
    return writeField(FIRST, Buffer.concat(field === first ? [...others, ...added] : others));
  });
  return Buffer.concat(
    first === undefined ? [writeField(FIRST, Buffer.concat(added)), ...parts] : parts,
  );
}

function removeClaims(resource: Buffer): Buffer[] {
  const others = readFields(resource).filter((field) => !isMessage(field) || !isVerified(field));
  return others.map(({ whole }) => whole);
}

/** True if one of the keys is verified. Readers take the last one of several. */
function isVerified(attribute: Field): boolean {
  const keys = readFields(attribute.content).filter(isMessage);
  return keys.some(({ content }) => verifiedNames.has(content.toString("utf8")));
}

function isMessage({ number, wireType }: Field): boolean {
  return number === FIRST && wireType === BYTES;
}

function readFields(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  while (at < bytes.length) {
    const start = at;
    const tag = readVarint(bytes, at);
    const wireType = tag.value % 8;
    const number = Math.floor(tag.value / 8);
    const body = skipValue(bytes, tag.end, wireType);
    at = body.end;
    fields.push({
      number,
      wireType,
      whole: bytes.subarray(start, at),
      content: bytes.subarray(body.start, at),
    });
  }
  return fields;
}

/** Start and end of a value. A value without a length starts at its end. */
function skipValue(bytes: Buffer, at: number, wireType: number): { start: number; end: number } {
  let end: number;
  let start: number | null = null;
  if (wireType === VARINT) end = readVarint(bytes, at).end;
  else if (wireType === FIXED_64) end = at + 8;
  else if (wireType === FIXED_32) end = at + 4;
  else if (wireType === BYTES) {
    const length = readVarint(bytes, at);
    start = length.end;
    end = length.end + length.value;
  } else throw new Error("an unknown wire type");
  if (end > bytes.length) throw new Error("a field is longer than its message");
  return { start: start ?? end, end };
}

function readVarint(bytes: Buffer, at: number): { value: number; end: number } {
  let value = 0;
  let factor = 1;
  for (let index = 0; index < MAX_VARINT_BYTES; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) break;
    value += (byte % 128) * factor;
    factor *= 128;
    if (byte < 128) return { value, end: at + index + 1 };
  }
  throw new Error("a number does not end");
}

function writeAttribute(name: string, value: string | readonly string[]): Buffer {
  const any =
    typeof value === "string"
      ? writeText(STRING_VALUE, value)
      : writeField(ARRAY_VALUE, Buffer.concat(value.map(writeElement)));
  return writeField(FIRST, Buffer.concat([writeText(FIRST, name), writeField(VALUE, any)]));
}

function writeElement(text: string): Buffer {
  return writeField(FIRST, writeText(STRING_VALUE, text));
}

function writeText(number: number, text: string): Buffer {
  return writeField(number, Buffer.from(text, "utf8"));
}

function writeField(number: number, content: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([number * 8 + BYTES, ...writeVarint(content.length)]),
    content,
  ]);
}

function writeVarint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}
