import type { LaptopClaims } from "#src/key-lookup/access-tokens.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import { HeaderFields } from "#src/lib/header-fields.ts";
import type { BodySpan, ParsedMessage } from "./parse-message.ts";

// The tag whose value a person chooses in Claude Code. The client sends `tags` after it found the tag's name in its access
// token. The field is for this server, so it is removed before the upstream. For all other requests bytes pass unchanged.

/** Feature that the client names with `tags`. The upstream does not know it. */
const TAGS_BETA = "request-tags-2026-08-21";

const BETA_HEADER = "anthropic-beta";

/** A request with the key whose tags count it. */
export interface TaggedRequest {
  key: FoundKey;
  message: ParsedMessage;
  body: Buffer;
}

/** Returns the request without `tags`, counted under the chosen tag if one of the person's groups has the value. */
export function applyGroupTag(
  laptop: LaptopClaims | null,
  request: TaggedRequest,
): Pick<TaggedRequest, "key" | "body"> {
  const { key, message, body } = request;
  const span = message.tagsSpan;
  if (laptop === null || laptop.billingGroupTag === null || span === null) return request;
  const value = readTag(body, span, laptop.billingGroupTag);
  const tagIds = value === null ? null : replaceTag(laptop, key, value);
  return {
    key: tagIds === null ? key : { ...key, tagIds },
    body: removeField(body, span),
  };
}

/** Returns the headers of a request without the feature that belongs to `tags`. */
export function removeTagsBeta(laptop: LaptopClaims | null, fields: HeaderFields): HeaderFields {
  if (laptop === null || laptop.billingGroupTag === null) return fields;
  const betas = fields.find(BETA_HEADER);
  if (betas === undefined || !betas.includes(TAGS_BETA)) return fields;
  const rest = betas.split(",").filter((beta) => beta.trim() !== TAGS_BETA);
  const list: string[] = [];
  for (let i = 0; i < fields.count; i++) {
    if (!fields.isNamed(i, BETA_HEADER)) list.push(fields.nameOf(i), fields.valueOf(i));
  }
  if (rest.length > 0) list.push(BETA_HEADER, rest.join(",").trim());
  return HeaderFields.fromCheckedList(list);
}

/** Returns the tags of a request with the chosen one. Null: the value is no name of a group of the person. */
function replaceTag(
  { groupNames, billingGroupTag }: LaptopClaims,
  { tagIds, groupTags }: FoundKey,
  value: string,
): readonly string[] | null {
  // The setting can have changed since the token was signed, and so can the groups.
  if (groupTags?.name !== billingGroupTag || !groupNames.includes(value)) return null;
  if (!Object.hasOwn(groupTags.ids, value)) return null;
  const chosen = groupTags.ids[value] as string;
  const others = tagIds.filter((id) => id !== groupTags.replacedId && id !== chosen);
  return [...others, chosen].sort();
}

/** Longer fields have no value that could be the name of a group. */
const MAX_TAGS_BYTES = 4_096;

/** Value of the tag in the field. Null: none, or not a text. */
function readTag(body: Buffer, { start, end }: BodySpan, name: string): string | null {
  if (end - start > MAX_TAGS_BYTES) return null;
  const field = body.toString("utf8", start, end).replace(/^\s*,/, "");
  const { tags } = JSON.parse(`{${field}}`) as { tags: unknown };
  if (typeof tags !== "object" || tags === null || !Object.hasOwn(tags, name)) return null;
  const value = (tags as Record<string, unknown>)[name];
  return typeof value === "string" ? value : null;
}

const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const isSpace = (byte: number | undefined) => byte !== undefined && byte <= 0x20;

/** Copies a body without a field. The span of a first field has no comma, so the one after it is removed. */
function removeField(body: Buffer, { start, end }: BodySpan): Buffer {
  let after = end;
  if (body[start - 1] === OPEN_OBJECT) {
    let next = end;
    while (isSpace(body[next])) next += 1;
    if (body[next] === COMMA) after = next + 1;
  }
  // The memory belongs to this body alone, because a client of upstreams may free it.
  const rest = Buffer.allocUnsafeSlow(body.length - (after - start));
  body.copy(rest, 0, 0, start);
  body.copy(rest, start, after);
  return rest;
}
