import type { TelemetrySignal } from "@bursar/contract/telemetry-signals.ts";
import { makeGrowth } from "./growth.ts";
import { type OtlpShape, resourceLists, resourceShapes } from "./otlp-shapes.ts";
import { type PersonAttributes, verifiedNames } from "./person-attributes.ts";

interface Person {
  /** Verified attributes, by their names. */
  attributes: ReadonlyMap<string, Attribute>;
  countAdded: (bytes: number) => void;
}

interface Attribute {
  written: object;
  /** Bytes of its JSON. */
  bytes: number;
}

/**
 * Adds the person to each resource of an OTLP message in JSON. Claims of the client are replaced, also those on data points,
 * log records and spans. Throws an Error for another form, and for too many claims.
 */
export function markJson(
  body: Buffer,
  signal: TelemetrySignal,
  attributes: PersonAttributes,
): Buffer {
  const message: unknown = JSON.parse(body.toString("utf8"));
  if (!isRecord(message)) throw new Error("the message is no object");
  const person = { attributes: toAttributes(attributes), countAdded: makeGrowth() };
  for (const name of resourceLists[signal].names) {
    for (const entry of readList(message[name])) {
      markResource(entry, person);
      replaceClaims(entry, resourceShapes[signal], person);
    }
  }
  return Buffer.from(JSON.stringify(message));
}

function markResource(entry: Record<string, unknown>, person: Person): void {
  const resource = entry["resource"] ?? {};
  if (!isRecord(resource)) throw new Error("a resource is no object");
  const others = readList(resource["attributes"]).filter(({ key }) => findClaim(key) === null);
  const added = Array.from(person.attributes.keys(), (name) => addVerified(name, person));
  entry["resource"] = { ...resource, attributes: [...others, ...added] };
}

/** Replaces each claim by the verified value. A claim without one is removed. */
function replaceClaims(
  message: Record<string, unknown>,
  { attributes, children }: OtlpShape,
  person: Person,
): void {
  for (const name of attributes?.names ?? []) {
    if (message[name] === undefined) continue;
    message[name] = readList(message[name]).flatMap((attribute) => {
      const claim = findClaim(attribute["key"]);
      return claim === null ? [attribute] : (addVerified(claim, person) ?? []);
    });
  }
  for (const { names, shape } of children) {
    for (const name of names) {
      for (const child of readList(message[name])) replaceClaims(child, shape, person);
    }
  }
}

/** Null: the value is not known. */
function addVerified(name: string, { attributes, countAdded }: Person): object | null {
  const attribute = attributes.get(name);
  if (attribute === undefined) return null;
  countAdded(attribute.bytes);
  return attribute.written;
}

/** Reads the objects of a field. A single message is a list of one. */
function readList(value: unknown): Record<string, unknown>[] {
  if (value === undefined || value === null) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.map((each) => {
    if (!isRecord(each)) throw new Error("a message is no object");
    return each;
  });
}

function findClaim(key: unknown): string | null {
  return typeof key === "string" && verifiedNames.has(key) ? key : null;
}

function toAttributes(attributes: PersonAttributes): Person["attributes"] {
  const entries = Array.from(attributes, ([key, text]): [string, Attribute] => {
    const value =
      typeof text === "string"
        ? { stringValue: text }
        : { arrayValue: { values: text.map((stringValue) => ({ stringValue })) } };
    const written = { key, value };
    return [key, { written, bytes: Buffer.byteLength(JSON.stringify(written)) }];
  });
  return new Map(entries);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
