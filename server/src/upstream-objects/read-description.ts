import type { ObjectDescription } from "#src/db/object-tables.ts";

// Reads objects in answers of an upstream.

/** Ids that fit into a path and into a cursor. */
const ID = /^[A-Za-z0-9_-]{1,128}$/;
/** Characters that jsonb refuses: NUL, and halves of surrogate pairs. */
const REFUSED = /\\u0000|\\ud[89a-f][0-9a-f]{2}/i;

/** Reads a JSON object. Null: the bytes are something else. */
export function parseObject(body: Buffer): ObjectDescription | null {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

export function isObject(value: unknown): value is ObjectDescription {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the id of a described object. Null: the description has none. */
export function readId({ id }: ObjectDescription): string | null {
  return typeof id === "string" && ID.test(id) ? id : null;
}

/** Returns the end of a described object. Null: none. */
export function readExpiry({ expires_at: expiresAt }: ObjectDescription): Date | null {
  if (typeof expiresAt !== "string") return null;
  const ms = Date.parse(expiresAt);
  return Number.isNaN(ms) ? null : new Date(ms);
}

/** Returns the description if the database can store it. Null: the upstream describes the object with each list. */
export function toStorable(description: ObjectDescription): ObjectDescription | null {
  return REFUSED.test(JSON.stringify(description)) ? null : description;
}

/** True for a skill that its provider publishes for everyone. */
export function isPublishedSkill({ source }: ObjectDescription): boolean {
  const type = isObject(source) ? source["type"] : source;
  return type === "anthropic" || type === "anthropic_example";
}
