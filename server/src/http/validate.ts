import type { z } from "zod";
import { ApiError } from "#src/domain/api-error.ts";
import { toSentence } from "#src/domain/refuse-field.ts";

/** Fields that the message names. */
const MAX_ISSUES = 5;
/** Fields that `details.fields` lists. */
const MAX_FIELDS = 100;
const MAX_NAME = 100;

/** Parses a part of a request by its schema. Throws a 400 that names each invalid field and the expected value. */
export function validate<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.flatMap((issue) => describe(issue));
  const first = mistakes.filter(
    ({ field }, index) => mistakes.findIndex((other) => other.field === field) === index,
  );
  const sentences = first.map(({ field, what }) =>
    field === "" ? `${what}.` : `${field}: ${what}.`,
  );
  const message = sentences.slice(0, MAX_ISSUES).join(" ");
  const fields = first.map(({ field, what }) => ({ path: field, message: toSentence(what) }));
  throw new ApiError("invalid_fields", message, {}, { fields: fields.slice(0, MAX_FIELDS) });
}

type Issue = z.core.$ZodIssue;

interface Mistake {
  field: string;
  what: string;
}

function describe(issue: Issue): Mistake[] {
  const { path } = issue;
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => mistake([...path, key], "there is no such field here"));
  }
  if (issue.code === "invalid_key") {
    return issue.issues.map((inner) => mistake(path, `its name: ${expectation(inner)}`));
  }
  return [mistake(path, expectation(issue))];
}

/** Describes the expected value from the violated rule. The schema's own message has priority. */
function expectation(issue: z.core.$ZodRawIssue | Issue): string {
  if (isAbsent(issue)) return "this field is required";
  const message = issue.message ?? "not valid";
  if (!isStockMessage(message)) return message;
  switch (issue.code) {
    case "too_small":
      return `expected at least ${counted(issue.minimum, issue.origin)}`;
    case "too_big":
      return `expected at most ${counted(issue.maximum, issue.origin)}`;
    case "invalid_value":
      return `expected one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
    default:
      return message.replace(/^Invalid input: /, "");
  }
}

function isAbsent(issue: z.core.$ZodRawIssue | Issue): boolean {
  const { code, input } = issue;
  const isAboutType =
    code === "invalid_type" || code === "invalid_union" || code === "invalid_value";
  return isAboutType && input === undefined;
}

/** Zod's own messages begin with a capital letter. Messages of the contract do not. */
function isStockMessage(message: string): boolean {
  return /^(Invalid|Too|Unrecognized)/.test(message);
}

const units: Readonly<Record<string, string>> = { string: "character", array: "item" };

function counted(count: number | bigint, origin: string): string {
  const unit = units[origin];
  if (unit === undefined) return String(count);
  return Number(count) === 1 ? `1 ${unit}` : `${count} ${unit}s`;
}

function mistake(path: readonly PropertyKey[], what: string): Mistake {
  const name = path.map(String).join(".");
  return { field: name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name, what };
}
