import { type PersonAttributes, verifiedNames } from "./person-attributes.ts";

const lists = ["resourceMetrics", "resourceLogs", "resourceSpans"] as const;

/**
 * Adds the person to each resource of an OTLP message in JSON, in place of what the client claims. Throws an Error for another
 * form.
 */
export function markJson(body: Buffer, attributes: PersonAttributes): Buffer {
  const message: unknown = JSON.parse(body.toString("utf8"));
  if (!isRecord(message)) throw new Error("the message is no object");
  for (const name of lists) {
    const entries = message[name];
    if (entries === undefined) continue;
    if (!Array.isArray(entries)) throw new Error("the list of resources is no list");
    for (const entry of entries) markEntry(entry, attributes);
  }
  return Buffer.from(JSON.stringify(message));
}

function markEntry(entry: unknown, attributes: PersonAttributes): void {
  if (!isRecord(entry)) throw new Error("an entry is no object");
  const resource = entry["resource"] ?? {};
  if (!isRecord(resource)) throw new Error("a resource is no object");
  const claimed = resource["attributes"] ?? [];
  if (!Array.isArray(claimed)) throw new Error("attributes are no list");
  const others = claimed.filter((each) => !isRecord(each) || !isVerified(each["key"]));
  entry["resource"] = { ...resource, attributes: [...others, ...toAttributes(attributes)] };
}

function isVerified(key: unknown): boolean {
  return typeof key === "string" && verifiedNames.has(key);
}

function toAttributes(attributes: PersonAttributes): object[] {
  return Array.from(attributes, ([key, value]) => ({
    key,
    value:
      typeof value === "string"
        ? { stringValue: value }
        : { arrayValue: { values: value.map((stringValue) => ({ stringValue })) } },
  }));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
