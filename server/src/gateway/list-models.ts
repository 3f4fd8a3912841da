import { isModelAllowed } from "#src/domain/allowed-models.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { type ListedModel, MAX_LIMIT, pageModels, readPageQuery } from "#src/domain/model-pages.ts";
import { FieldLines } from "#src/lib/field-lines.ts";
import { type HttpRequest, requestWhole } from "#src/lib/http-client.ts";
import type { Upstream } from "#src/upstreams/upstream.ts";
import { type Exchange, isClientGone, isUserKnown, waitAbortably } from "./exchange.ts";
import { addIdentityHeaders, toUpstreamHeaders } from "./forward-headers.ts";
import { toApiError } from "./relay-failure.ts";
import type { RelayDeps } from "./relay-response.ts";
import { pathOf } from "./routes.ts";

// The list of models for a key with allowed models: only those. The upstream's
// whole list is read, because a page of it can have none of them. Lists of other keys are relayed unchanged.

/** Pages of the upstream that are read at most: 5,000 models. */
const MAX_PAGES = 5;
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const WITHIN_MS = 30_000;

const LIST = "/v1/models";
const ONE = "/v1/models/";

/**
 * Returns the models by which the list is filtered. Null: the target is not the list, or the key may call all models. Throws
 * the official 404 for one model that the key may not call.
 */
export function findListFilter(
  target: string,
  allowed: readonly string[] | null,
): readonly string[] | null {
  if (allowed === null) return null;
  const path = pathOf(target);
  if (path === LIST) return allowed;
  const model = path.slice(ONE.length);
  if (isModelAllowed(allowed, model)) return null;
  throw new ApiError("resource_not_found", `model: ${model}`, {}, { resource: "model" });
}

interface ListCall {
  upstream: Upstream;
  allowed: readonly string[];
  onDone: RelayDeps["onDone"];
}

/** Answers the list of allowed models. False: the client left. Rejects with the refusal of a failed list. */
export async function listModels(exchange: Exchange, list: ListCall): Promise<boolean> {
  const { upstream, allowed, onDone } = list;
  const query = readPageQuery(exchange.call.target);
  const read = await readAll(exchange, upstream, query.rest);
  if (isClientGone(exchange)) return false;
  if (read.kind === "failed") {
    send(exchange, read.status, read.body);
    onDone(exchange, "refused", read.status);
    return true;
  }
  const page = pageModels(read.models, query, (model) => isModelAllowed(allowed, model));
  send(exchange, 200, Buffer.from(JSON.stringify(page)));
  onDone(exchange, "answered", 200);
  return true;
}

type ReadModels =
  | { kind: "read"; models: ListedModel[] }
  | { kind: "failed"; status: number; body: Buffer };

async function readAll(exchange: Exchange, upstream: Upstream, rest: string): Promise<ReadModels> {
  const models: ListedModel[] = [];
  let afterId: string | null = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const query = new URLSearchParams(rest);
    query.set("limit", String(MAX_LIMIT));
    if (afterId !== null) query.set("after_id", afterId);
    const answer = await requestPage(exchange, upstream, `${LIST}?${query.toString()}`);
    if (answer.status !== 200) return { kind: "failed", ...answer };
    const parsed = parsePage(answer.body);
    models.push(...parsed.data);
    afterId = parsed.data.at(-1)?.id ?? null;
    if (!parsed.hasMore || afterId === null) break;
  }
  return { kind: "read", models };
}

async function requestPage(exchange: Exchange, upstream: Upstream, target: string) {
  const sent: HttpRequest = {
    path: upstream.basePath + target,
    method: "GET",
    headers: toUpstreamHeaders(exchange.call.fields, upstream.credential, isUserKnown(exchange)),
    body: null,
    headersTimeoutMs: null,
  };
  try {
    return await waitAbortably(exchange, (signal) =>
      requestWhole(upstream.client, sent, {
        maxBytes: MAX_ANSWER_BYTES,
        signal: AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]),
      }),
    );
  } catch (error) {
    throw toApiError(error, true);
  }
}

function parsePage(body: Buffer): { data: ListedModel[]; hasMore: boolean } {
  const page = parseJson(body);
  const data = page?.data;
  if (!Array.isArray(data) || !data.every(isListedModel)) {
    throw new ApiError(
      "upstream_connection_lost",
      "The Claude API answered the list of models in an unknown form.",
    );
  }
  return { data, hasMore: page?.has_more === true };
}

function parseJson(body: Buffer): { data?: unknown; has_more?: unknown } | null {
  try {
    return JSON.parse(body.toString("utf8")) as { data?: unknown; has_more?: unknown } | null;
  } catch {
    return null;
  }
}

function isListedModel(value: unknown): value is ListedModel {
  return (
    typeof value === "object" && value !== null && "id" in value && typeof value.id === "string"
  );
}

function send({ call, identity, requestId }: Exchange, status: number, body: Buffer): void {
  const headers = FieldLines.fromList(["content-type", "application/json"]);
  headers.add("content-length", String(body.length));
  headers.add("request-id", requestId);
  if (identity !== null) addIdentityHeaders(headers, identity);
  call.writeHead(status, headers);
  call.end(body);
}
