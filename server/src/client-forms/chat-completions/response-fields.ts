import { FieldLines } from "#src/lib/field-lines.ts";

// Response headers of a chat completion: those of the Claude API, and the names under which the OpenAI SDKs read them.

const rateHeader = /^anthropic-ratelimit-(requests|tokens)-(limit|remaining|reset)$/;

export interface HeadForm {
  /** Length of the converted body. Null: unknown, as of a stream. */
  length: number | null;
  nowMs: number;
}

export function toChatHead(official: FieldLines, { length, nowMs }: HeadForm): FieldLines {
  const lines = new FieldLines();
  const list = official.toList();
  for (let i = 0; i + 1 < list.length; i += 2) {
    const name = list[i] as string;
    const value = list[i + 1] as string;
    if (name === "content-length") continue;
    lines.add(name, value);
    if (name === "request-id") lines.add("x-request-id", value);
    const [, unit, part] = rateHeader.exec(name) ?? [];
    if (unit === undefined || part === undefined) continue;
    lines.add(`x-ratelimit-${part}-${unit}`, part === "reset" ? toDuration(value, nowMs) : value);
  }
  if (length !== null) lines.add("content-length", String(length));
  return lines;
}

/** Converts a time to the wait until then, such as `12s`. Other texts stay. */
function toDuration(time: string, nowMs: number): string {
  const atMs = Date.parse(time);
  if (Number.isNaN(atMs)) return time;
  return `${Math.max(0, Math.ceil((atMs - nowMs) / 1_000))}s`;
}
