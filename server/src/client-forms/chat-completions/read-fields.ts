import { refuseField } from "#src/domain/refuse-field.ts";

/** Names of fields that this room reads. */
type FieldName =
  | "arguments"
  | "budget_tokens"
  | "content"
  | "content_block"
  | "delta"
  | "description"
  | "error"
  | "error_code"
  | "fields"
  | "function"
  | "function_call"
  | "functions"
  | "id"
  | "image_url"
  | "include_usage"
  | "index"
  | "input"
  | "max_completion_tokens"
  | "max_tokens"
  | "message"
  | "messages"
  | "model"
  | "n"
  | "name"
  | "parallel_tool_calls"
  | "parameters"
  | "partial_json"
  | "path"
  | "request_id"
  | "role"
  | "stop"
  | "stop_reason"
  | "stream_options"
  | "temperature"
  | "text"
  | "thinking"
  | "tool_call_id"
  | "tool_calls"
  | "tool_choice"
  | "tools"
  | "type"
  | "url"
  | "usage";

/** An object of a JSON text. Each value is checked before its use. */
export type JsonObject = Readonly<Record<string, unknown> & Partial<Record<FieldName, unknown>>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function readObject(value: unknown, path: string): JsonObject {
  if (isObject(value)) return value;
  throw refuseField(path, "Input should be an object");
}

export function readList(value: unknown, path: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw refuseField(path, "Input should be a list");
}

export function readText(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  throw refuseField(path, "Input should be a string");
}

/** True for a field that is missing or null. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}
