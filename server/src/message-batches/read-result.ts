import type { BilledUsage } from "#src/domain/usage.ts";
import { readMessageUsage } from "#src/domain/usage-fields.ts";
import type { GivenObject } from "#src/gateway/object-references.ts";
import { listGivenObjects } from "#src/gateway/read-given-objects.ts";

// The results of a batch: one JSON object in each line, in any order.

/** Longest line of results, bytes. A response of 128,000 tokens has a hundredth of it. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 0x0a;

export type LineResult =
  /** `usage` null: the response has none. */
  | { type: "succeeded"; usage: BilledUsage | null; isRefusal: boolean }
  /** `status`: as a message with this error has it. */
  | { type: "errored"; status: number }
  | { type: "canceled" }
  | { type: "expired" };

export interface ReadLine {
  customId: string;
  result: LineResult;
  /** Container and files that the response gives to the workspace. */
  given: GivenObject[];
}

/** Reads the lines of results, one in memory at a time. Throws an error for a line that is no result. */
export async function* readResults(body: AsyncIterable<Buffer>): AsyncGenerator<ReadLine> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      parts.push(chunk.subarray(start, end));
      const line = Buffer.concat(parts).toString("utf8");
      parts = [];
      bytes = 0;
      start = end + 1;
      if (line.trim() !== "") yield readResult(line);
    }
    const rest = chunk.subarray(start);
    bytes += rest.length;
    if (bytes > MAX_LINE_BYTES) throw new Error("a result of a batch is too large");
    if (rest.length > 0) parts.push(rest);
  }
  const last = Buffer.concat(parts).toString("utf8");
  if (last.trim() !== "") yield readResult(last);
}

interface Fields {
  custom_id?: unknown;
  result?: unknown;
  type?: unknown;
  message?: unknown;
  error?: unknown;
  stop_reason?: unknown;
}

function asFields(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
}

function readResult(line: string): ReadLine {
  const fields = asFields(JSON.parse(line));
  const result = asFields(fields?.result);
  if (typeof fields?.custom_id !== "string" || result === null) {
    throw new Error("a result of a batch has no custom_id or no result");
  }
  const given = listGivenObjects(result.message);
  return { customId: fields.custom_id, result: toResult(result), given };
}

function toResult(result: Fields): LineResult {
  switch (result.type) {
    case "succeeded": {
      const message = asFields(result.message);
      const usage = readMessageUsage(message);
      return { type: "succeeded", usage, isRefusal: message?.stop_reason === "refusal" };
    }
    case "errored":
      return { type: "errored", status: statusOf(result.error) };
    case "canceled":
    case "expired":
      return { type: result.type };
    default:
      // The kind may be billed, so it is a success without usage.
      return { type: "succeeded", usage: null, isRefusal: false };
  }
}

const statuses: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  timeout_error: 504,
  overloaded_error: 529,
};

/** The error of a result is the official body, with its type one level down. */
function statusOf(error: unknown): number {
  const body = asFields(error);
  const { type } = asFields(body?.error) ?? body ?? {};
  return (typeof type === "string" ? statuses[type] : undefined) ?? 500;
}
