import { JsonReader } from "#src/lib/json-scan.ts";
import { allocateOwned } from "#src/lib/release-memory.ts";

// Edits of a body that leave all other bytes unchanged. The platform's prompt cache then sees the bytes of the client.

/** Top-level field of a JSON object. */
interface Member {
  key: string;
  /** First byte after the opening brace or the value before, so that the comma belongs to the field. */
  start: number;
  valueStart: number;
  /** Exclusive. */
  end: number;
}

/** Fields of a request that decide its translation. */
export interface ScannedBody {
  body: Buffer;
  /** First byte after the opening brace. */
  start: number;
  members: readonly Member[];
  model: string;
  isStream: boolean;
  /** Types of tools, in their order. Tools without a type are of the client. */
  toolTypes: readonly string[];
}

/** Scans a body. `isChecked`: the gateway has parsed it. Throws an error of `json-scan.ts` for invalid JSON. */
export function scanBody(body: Buffer, isChecked: boolean): ScannedBody {
  const reader = new JsonReader(body, isChecked);
  reader.beginObject();
  const scanned = { model: "", isStream: false, toolTypes: [] as string[] };
  const members: Member[] = [];
  const first = reader.position;
  let start = first;
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    const kind = reader.kind();
    const valueStart = reader.position;
    if (key === "model" && kind === "string") scanned.model = reader.readString();
    else if (key === "stream" && kind === "boolean") scanned.isStream = reader.readBoolean();
    else if (key === "tools" && kind === "array") readToolTypes(reader, scanned.toolTypes);
    else reader.skipValue();
    members.push({ key, start, valueStart, end: reader.position });
    start = reader.position;
  }
  reader.end();
  return { body, start: first, members, ...scanned };
}

function readToolTypes(reader: JsonReader, types: string[]): void {
  reader.beginArray();
  while (reader.nextElement()) {
    if (reader.kind() !== "object") {
      reader.skipValue();
      continue;
    }
    reader.beginObject();
    for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
      if (key === "type" && reader.kind() === "string") types.push(reader.readString());
      else reader.skipValue();
    }
  }
}

export interface BodyEdit {
  /** Fields that are removed. */
  removed: ReadonlySet<string>;
  /** Fields that are added at the start, which must not be in the rest. */
  added: Readonly<Record<string, unknown>>;
  /** New value of `model`. Null: unchanged. */
  model: string | null;
}

/** Returns a copy of the body with other fields. Its memory belongs to the copy alone. */
export function editBody(scanned: ScannedBody, { removed, added, model }: BodyEdit): Buffer {
  const { body, members } = scanned;
  const text = JSON.stringify(added).slice(1, -1);
  const parts: Buffer[] = [body.subarray(0, scanned.start), Buffer.from(text)];
  let isEmpty = text === "";
  let at = scanned.start;
  for (const { key, start, valueStart, end } of members) {
    at = end;
    if (removed.has(key)) continue;
    const isFirst = start === scanned.start;
    if (isFirst && !isEmpty) parts.push(Buffer.from(","));
    const from = isEmpty && !isFirst ? body.indexOf(",", start) + 1 : start;
    isEmpty = false;
    if (key === "model" && model !== null) {
      parts.push(body.subarray(from, valueStart), Buffer.from(JSON.stringify(model)));
    } else parts.push(body.subarray(from, end));
  }
  parts.push(body.subarray(at));
  return join(parts);
}

/** Joins parts in memory of its own, which a client may free. */
function join(parts: readonly Buffer[]): Buffer {
  const whole = allocateOwned(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) at += part.copy(whole, at);
  return whole;
}
