import { refuseField } from "#src/domain/refuse-field.ts";
import type { JsonReader } from "#src/lib/json-scan.ts";
import { skipNull } from "./parse-walk.ts";

// Reads single values that decide the price, at the top of a body and in a fallback. Each throws a 400 that names the
// field.

const MAX_MODEL_CHARACTERS = 256;

/** Reads a model name. Refuses texts that a database or a log cannot store. */
export function readModel(reader: JsonReader, field: string): string {
  if (reader.kind() !== "string") throw refuseField(field, "Input should be a valid string");
  const model = reader.readString();
  if (model === "") throw refuseField(field, "String should have at least 1 character");
  if (model.length > MAX_MODEL_CHARACTERS) {
    throw refuseField(field, `String should have at most ${MAX_MODEL_CHARACTERS} characters`);
  }
  if (!model.isWellFormed() || /\p{Cc}/u.test(model)) {
    throw refuseField(field, "String should hold no control characters");
  }
  return model;
}

/** Reads an integer. Refuses `1.0`, `1e3` and `"1"`, which only some parsers read as integers. */
export function readMaxTokens(reader: JsonReader, field: string): number {
  if (reader.kind() !== "number") {
    reader.skipValue();
    throw refuseField(field, "Input should be a valid integer");
  }
  const text = reader.readNumberText();
  if (!/^-?\d+$/.test(text)) {
    throw refuseField(field, "Input should be a valid integer, written with digits only");
  }
  if (text.startsWith("-")) {
    throw refuseField(field, "Input should be greater than or equal to 0");
  }
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}

export function readOptionalBoolean(reader: JsonReader, field: string): boolean {
  if (skipNull(reader)) return false;
  if (reader.kind() !== "boolean") throw refuseField(field, "Input should be a valid boolean");
  return reader.readBoolean();
}

export function readOptionalString(reader: JsonReader, field: string): string | null {
  if (skipNull(reader)) return null;
  if (reader.kind() !== "string") throw refuseField(field, "Input should be a valid string");
  return reader.readString();
}

/** Reads `speed` of the request or of a fallback. */
export function readSpeed(reader: JsonReader, field: string): string | null {
  return readOptionalString(reader, field);
}
