import { ApiError } from "#src/domain/api-error.ts";
import { DuplicateKeyError, JsonReader, JsonSyntaxError } from "#src/lib/json-scan.ts";
import { isStorableText } from "#src/lib/storable-text.ts";

// Reads bodies of the Admin API strictly. Ambiguous input (a duplicate key, a number that a double rounds) and text
// that PostgreSQL cannot store (NUL, half a surrogate pair) are refused.

const MAX_DIGITS = 15;

/** Parses a JSON object from UTF-8 bytes. Throws a 400 that names the faulty field. */
export function readJsonObject(bytes: Buffer): Record<string, unknown> {
  try {
    const reader = new JsonReader(bytes);
    if (reader.kind() !== "object") throw makeRefusal("expected a JSON object");
    const value = readObject(reader, "");
    reader.end();
    return value;
  } catch (error) {
    if (error instanceof DuplicateKeyError) {
      throw makeRefusal(`the key ${quoteName(error.key)} appears more than once`);
    }
    if (error instanceof JsonSyntaxError) throw makeRefusal(`not valid JSON: ${error.message}`);
    throw error;
  }
}

function readValue(reader: JsonReader, path: string): unknown {
  switch (reader.kind()) {
    case "object":
      return readObject(reader, path);
    case "array":
      return readArray(reader, path);
    case "string":
      return readText(reader, path);
    case "number":
      return readNumber(reader, path);
    case "boolean":
      return reader.readBoolean();
    case "null":
      reader.skipValue();
      return null;
  }
}

function readObject(reader: JsonReader, path: string): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    checkText(key, path);
    if (key === "__proto__") throw makeRefusal(`the key "__proto__" is not allowed`);
    object[key] = readValue(reader, path === "" ? key : `${path}.${key}`);
  }
  return object;
}

function readArray(reader: JsonReader, path: string): unknown[] {
  const items: unknown[] = [];
  reader.beginArray();
  while (reader.nextElement()) items.push(readValue(reader, `${path}.${items.length}`));
  return items;
}

function readText(reader: JsonReader, path: string): string {
  const text = reader.readString();
  checkText(text, path);
  return text;
}

function checkText(text: string, path: string): void {
  if (!isStorableText(text)) {
    throw refuseValue(path, "contains an invalid character (NUL or half a pair)");
  }
}

function readNumber(reader: JsonReader, path: string): number {
  const text = reader.readNumberText();
  const [mantissa = ""] = text.split(/[eE]/);
  const digits = mantissa.replace(/^-|\./g, "").replace(/^0+|0+$/g, "");
  const number = Number(text);
  if (digits.length > MAX_DIGITS || !Number.isFinite(number)) {
    throw refuseValue(
      path,
      `is a number of more than ${MAX_DIGITS} digits, which JSON parsers round. Send it as text`,
    );
  }
  return number;
}

const MAX_QUOTED = 100;

function quoteName(name: string): string {
  return JSON.stringify(name.length > MAX_QUOTED ? `${name.slice(0, MAX_QUOTED)}…` : name);
}

function refuseValue(path: string, why: string): ApiError {
  const message = `The request body cannot be read: ${quoteName(path)} ${why}.`;
  const fields = [{ path: path.slice(0, MAX_QUOTED), message: `The value ${why}.` }];
  return new ApiError("invalid_fields", message, {}, { fields });
}

function makeRefusal(why: string): ApiError {
  return new ApiError("invalid_body", `The request body cannot be read: ${why}.`);
}
