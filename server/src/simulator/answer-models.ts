import { type Exchange, isBeta } from "./exchange.ts";
import { findModel, type SimulatedModel, simulatedModels, toBetaModel } from "./models.ts";
import { SimulatedError } from "./simulated-error.ts";

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1_000;

/** `GET /v1/models`: a `Page` with `limit`, `after_id`, `before_id`, and `lifecycle[]` as a filter. */
export function answerModels(exchange: Exchange): void {
  const query = exchange.url.searchParams;
  const wanted = new Set([...query.getAll("lifecycle[]"), ...query.getAll("lifecycle")]);
  const listed = simulatedModels.filter((model) => {
    return wanted.size > 0 ? wanted.has(model.lifecycle) : model.lifecycle !== "retired";
  });
  const page = toPage(listed, query);
  sendJson(exchange, isBeta(exchange) ? { ...page, data: page.data.map(toBetaModel) } : page);
}

/** `GET /v1/models/{id}`, also by an alias. */
export function answerModel(exchange: Exchange, encodedId: string): void {
  const id = decode(encodedId);
  const model = findModel(id);
  if (model === null) throw new SimulatedError(404, `model: ${id}`);
  sendJson(exchange, isBeta(exchange) ? toBetaModel(model) : model);
}

function toPage(models: readonly SimulatedModel[], query: URLSearchParams) {
  const limit = readLimit(query.get("limit"));
  const afterId = query.get("after_id");
  const beforeId = query.get("before_id");
  if (afterId !== null && beforeId !== null) {
    throw new SimulatedError(400, "Only one of `after_id` and `before_id` may be given.");
  }
  const from = afterId === null ? 0 : indexOf(models, afterId) + 1;
  const to = beforeId === null ? models.length : indexOf(models, beforeId);
  const rest = models.slice(from, to);
  const data = beforeId === null ? rest.slice(0, limit) : rest.slice(-limit);
  return {
    data,
    has_more: rest.length > data.length,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}

function indexOf(models: readonly SimulatedModel[], id: string): number {
  const index = models.findIndex((model) => model.id === id);
  if (index === -1) throw new SimulatedError(400, `Invalid cursor: ${id}`);
  return index;
}

function readLimit(text: string | null): number {
  if (text === null) return DEFAULT_LIMIT;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new SimulatedError(400, `limit: Input should be between 1 and ${MAX_LIMIT}`);
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

function sendJson(exchange: Exchange, value: object): void {
  exchange.response
    .writeHead(200, { ...exchange.headers, "content-type": "application/json" })
    .end(JSON.stringify(value));
}
