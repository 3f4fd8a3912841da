import { z } from "zod";

// Field schemas of bodies, queries and responses. Each has one JSON type, which refusals can name.

const lineBreak = /[\p{Cc}\p{Zl}\p{Zp}]/u;
// Invisible and direction marks, which make different names look alike. Some scripts and many emoji need the joiners U+200C
// and U+200D, so these are allowed.
const invisible =
  /[\u{ad}\u{61c}\u{200b}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2060}-\u{206f}\u{feff}\u{e0000}-\u{e007f}]/u;
const visible = /[^\p{C}\p{Z}]/u;

/** Text that a user wrote: one line, trimmed, without invisible characters, normalized to NFC. */
export const lineText = (maxLength: number) =>
  z
    .string()
    .normalize("NFC")
    .trim()
    .min(1)
    .max(maxLength)
    .refine((text) => !lineBreak.test(text), "expected one line, without control characters")
    .refine((text) => !invisible.test(text), "expected text without invisible characters")
    .refine((text) => visible.test(text), "expected at least 1 character that can be seen");

const MAX_NAME_LENGTH = 100;
/** Name that a user chose. */
export const nameText = lineText(MAX_NAME_LENGTH);

const MAX_REASON_LENGTH = 500;
/** Why someone decides, for the audit log. */
export const reasonText = z
  .string()
  .trim()
  .min(1)
  .max(MAX_REASON_LENGTH)
  .meta({ description: "Reason for the audit log." });

export const MAX_EMAIL_LENGTH = 254;
/** Patterns of an e-mail address in lower case, before and after the @. */
export const emailLocalPart = /[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*/;
export const emailDomain = /(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]/;
const emailPattern = new RegExp(`^${emailLocalPart.source}@${emailDomain.source}$`);

/** E-mail address in lower case. Addresses that differ in case are the same. */
export const emailAddress = z
  .string()
  .trim()
  .toLowerCase()
  .max(MAX_EMAIL_LENGTH)
  .pipe(z.email({ pattern: emailPattern, error: "expected an e-mail address" }));

/** An instant in a request: RFC 3339 with a zone. */
export const instant = z.iso
  .datetime({
    offset: true,
    error: "expected an RFC 3339 time with a zone, such as 2026-12-01T00:00:00Z",
  })
  .meta({ description: "RFC 3339 time." });

/** An instant in a response: RFC 3339 in UTC. */
export const timestamp = z.iso.datetime().meta({ description: "RFC 3339 time in UTC." });

/**
 * US dollars in a request: a JSON number or decimal text. Both are read as decimals. At most 15 significant digits, which a
 * double holds exactly. At most 9 decimal places (a nano-dollar).
 */
const expectedUsd = "expected an amount of US dollars that is not negative, such as 100.00";
export const usdAmount = z
  .union(
    [z.number().min(0, expectedUsd), z.string().regex(/^\d{1,10}(\.\d{1,9})?$/, expectedUsd)],
    { error: expectedUsd },
  )
  .meta({ description: "US dollars, an exact decimal." });

/** US dollars in a response: decimal text, since a sum can have more digits than a double. */
export const usdText = z
  .string()
  .meta({ description: "US dollars as exact decimal text, such as 0.0105." });

/** Marks a secret that only one response contains. */
export const shownOnce = { "x-shown-once": true } as const;

export function isShownOnce(schema: z.ZodType): boolean {
  return schema.meta()?.["x-shown-once"] === true;
}

export const count = z.int().min(0);

/** Optional query parameter. Some clients send an absent value as empty text. */
export function optionalQuery<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => (value === "" ? undefined : value), schema.optional()).optional();
}

export const queryFlag = optionalQuery(
  z
    .stringbool({
      truthy: ["true", "1"],
      falsy: ["false", "0"],
      error: "expected true or false",
    })
    .meta({ override: { type: "boolean" } }),
);

const MAX_QUERY_LIST = 100;

/** A list in a query: repeated (`a=1&a=2`), bracketed (`a[]=1&a[]=2`) or separated by commas (`a=1,2`). */
export function queryList<T extends z.ZodType>(item: T) {
  return z
    .preprocess((value) => {
      if (value === undefined || value === "") return undefined;
      const parts: unknown[] = Array.isArray(value) ? value : [value];
      return parts.flatMap((part) => (typeof part === "string" ? part.split(",") : [part]));
    }, z.array(item).max(MAX_QUERY_LIST).optional())
    .optional();
}

export const displayColor = z
  .string()
  .regex(/^#[0-9A-Fa-f]{6}$/, "expected a colour such as #6C5BB9")
  .meta({ description: "Hex colour, `#RRGGBB`." });

const MAX_HEADERS = 20;
const MAX_HEADER_NAME_LENGTH = 100;
const MAX_HEADER_VALUE_LENGTH = 4_000;
/** Headers that the server stores and sends to one address. */
export const secretHeaders = z
  .record(
    z
      .string()
      .max(MAX_HEADER_NAME_LENGTH)
      .regex(/^[0-9A-Za-z!#$%&'*+.^_`|~-]+$/, "expected the name of a header"),
    z
      .string()
      .min(1)
      .max(MAX_HEADER_VALUE_LENGTH)
      .regex(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/, "expected printable characters"),
  )
  .refine((each) => Object.keys(each).length <= MAX_HEADERS, `at most ${MAX_HEADERS} headers`);

const MAX_TAGS = 50;
const MAX_TAG_NAME_LENGTH = 64;
const MAX_TAG_VALUE_LENGTH = 256;
const isOneLine = (text: string) => !lineBreak.test(text) && !invisible.test(text);
const expectedLine = "expected one line, without control characters and invisible characters";
/** A name has one form, because it is compared byte by byte. Filters and files separate names by `,`, `:` and `=`. */
export const tagName = z
  .string()
  .min(1)
  .max(MAX_TAG_NAME_LENGTH)
  .refine(isOneLine, expectedLine)
  .refine((name) => name === name.normalize("NFC").trim(), "expected a name without outer spaces")
  .refine((name) => !/[,:=]/.test(name), "a tag name cannot contain a comma, : or =")
  .refine((name) => name !== "__proto__", "this name is reserved")
  .refine((name) => !/^anthropic/i.test(name), "a tag name cannot begin with anthropic");
export const tagValue = z
  .string()
  .normalize("NFC")
  .trim()
  .max(MAX_TAG_VALUE_LENGTH)
  .refine(isOneLine, expectedLine);
const hasAllowedTagCount = (tags: Record<string, unknown>) => Object.keys(tags).length <= MAX_TAGS;
const tooManyTags = `at most ${MAX_TAGS} tags`;
/** Two names that differ in case only look like one. */
const hasDistinctNames = (tags: Record<string, unknown>) =>
  new Set(Object.keys(tags).map((name) => name.toLowerCase())).size === Object.keys(tags).length;
const similarNames = "expected names that differ in more than their case";

export const tags = z
  .record(tagName, tagValue)
  .refine(hasAllowedTagCount, tooManyTags)
  .refine(hasDistinctNames, similarNames);
/** A change of tags: null deletes the tag, an omitted tag stays. */
export const tagChanges = z
  .record(tagName, tagValue.nullable())
  .refine(hasAllowedTagCount, tooManyTags)
  .refine(hasDistinctNames, similarNames);
/** Tags of a key. */
export const keyTags = z
  .record(tagName, tagValue.min(1))
  .refine(hasAllowedTagCount, tooManyTags)
  .refine(hasDistinctNames, similarNames);
export const keyTagChanges = z
  .record(tagName, tagValue.min(1).nullable())
  .refine(hasAllowedTagCount, tooManyTags)
  .refine(hasDistinctNames, similarNames);

/** Official fields that this server does not support: only null is accepted. */
export const unsupportedField = z.null({ error: "is not available on this server: omit it" });
