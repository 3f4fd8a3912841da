import type { Provider } from "@bursar/contract/admin/provider-settings.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { FieldLines } from "#src/lib/field-lines.ts";
import type { HttpRequest } from "#src/lib/http-client.ts";

/** Operation of an official request. */
export type Operation = "message" | "count" | "models";

/** Official request in the parts that decide its translation. */
export interface OfficialRequest {
  operation: Operation;
  /** Path and query, as the client sent them. */
  path: string;
  /** Id in `/v1/models/{id}`. Null: the list, or another operation. */
  modelId: string | null;
  /** Values of `anthropic-beta`. */
  betas: readonly string[];
  /** Value of `anthropic-version`. */
  version: string;
  /** Headers of the client that pass to the platform: a flat list. */
  headers: readonly string[];
}

/** Headers of the client that mean the same for a platform. Others could change its price, or name the account. */
const passedHeaders: ReadonlySet<string> = new Set([
  "content-type",
  "accept",
  "accept-encoding",
  "user-agent",
  "traceparent",
  "tracestate",
]);

const MODELS = "/v1/models";

/** Reads path and headers. Throws for a path that no platform serves. */
export function readOfficialRequest(
  { method, path, headers }: HttpRequest,
  platform: { provider: Provider; name: string },
): OfficialRequest {
  const [bare = path] = path.split("?", 1);
  const operation = findOperation(method, bare);
  if (operation === null) throw unsupported(platform, `${method} ${bare}`);
  const modelId = operation === "models" ? bare.slice(MODELS.length + 1) || null : null;
  return { operation, path, modelId, ...readOfficialHeaders(headers) };
}

/** Reads the headers that decide the translation, and those that pass. */
export function readOfficialHeaders(
  headers: FieldLines,
): Pick<OfficialRequest, "betas" | "version" | "headers"> {
  const passed: string[] = [];
  let betas: string[] = [];
  let version = "2023-06-01";
  const list = headers.toList();
  for (let i = 0; i + 1 < list.length; i += 2) {
    const name = list[i] as string;
    const value = list[i + 1] as string;
    if (name === "anthropic-beta") betas = betas.concat(splitList(value));
    else if (name === "anthropic-version") version = value;
    else if (passedHeaders.has(name)) passed.push(name, value);
  }
  return { betas, version, headers: passed };
}

function findOperation(method: string, path: string): Operation | null {
  if (method === "POST" && path === "/v1/messages") return "message";
  if (method === "POST" && path === "/v1/messages/count_tokens") return "count";
  if (method === "GET" && (path === MODELS || path.startsWith(`${MODELS}/`))) return "models";
  return null;
}

function splitList(value: string): string[] {
  return value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** Makes the refusal of a feature by its name. */
export function unsupported(
  { provider, name }: { provider: Provider; name: string },
  feature: string,
): ApiError {
  return new ApiError(
    "provider_unsupported",
    `${feature}: ${name}, which serves this workspace, does not have this feature. Send the request without it.`,
    {},
    { provider, feature },
  );
}
