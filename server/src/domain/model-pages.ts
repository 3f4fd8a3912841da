import { ApiError } from "./api-error.ts";

// Pages of the list of models, in the official shape.

/** A listed model. Its other fields pass unchanged. */
export interface ListedModel {
  id: string;
}

/** A page of the official list. */
interface ModelPage<Model extends ListedModel> {
  data: Model[];
  has_more: boolean;
  first_id: string | null;
  last_id: string | null;
}

/** Paging parameters of a list. */
interface PageQuery {
  limit: number;
  /** Id of the model before the page. */
  afterId: string | null;
  /** Id of the model after the page. */
  beforeId: string | null;
  /** The other parameters, such as `beta=true`. */
  rest: string;
}

const DEFAULT_LIMIT = 20;
export const MAX_LIMIT = 1_000;
const PAGING: ReadonlySet<string> = new Set(["limit", "after_id", "before_id"]);

/** Reads the paging parameters of a request target. Throws `invalid_fields`. */
export function readPageQuery(target: string): PageQuery {
  const at = target.indexOf("?");
  const query = new URLSearchParams(at === -1 ? "" : target.slice(at + 1));
  const limit = readLimit(query.get("limit"));
  if (limit === null) throw makeFieldError("limit", `Input should be between 1 and ${MAX_LIMIT}`);
  const afterId = query.get("after_id");
  const beforeId = query.get("before_id");
  if (afterId !== null && beforeId !== null) {
    throw makeFieldError("before_id", "Only one of `after_id` and `before_id` may be given");
  }
  const others = [...query].filter(([name]) => !PAGING.has(name));
  return { limit, afterId, beforeId, rest: new URLSearchParams(others).toString() };
}

function readLimit(text: string | null): number | null {
  if (text === null) return DEFAULT_LIMIT;
  const limit = Number(text);
  return Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT ? limit : null;
}

/**
 * Returns one page of the allowed models. The cursor can name any model of the upstream, because the rights of a key can
 * change between two pages. Throws `invalid_fields` for a cursor that names no model.
 */
export function pageModels<Model extends ListedModel>(
  models: readonly Model[],
  { limit, afterId, beforeId }: PageQuery,
  isAllowed: (model: string) => boolean = () => true,
): ModelPage<Model> {
  const from = afterId === null ? 0 : models.findIndex(({ id }) => id === afterId) + 1;
  if (afterId !== null && from === 0) throw makeCursorError("after_id");
  const to = beforeId === null ? models.length : models.findIndex(({ id }) => id === beforeId);
  if (to === -1) throw makeCursorError("before_id");
  const rest = models.slice(from, to).filter(({ id }) => isAllowed(id));
  const data = beforeId === null ? rest.slice(0, limit) : rest.slice(-limit);
  return {
    data,
    has_more: rest.length > data.length,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}

function makeCursorError(path: string): ApiError {
  return makeFieldError(path, "No model of the list has this id");
}

function makeFieldError(path: string, message: string): ApiError {
  return new ApiError("invalid_fields", `${path}: ${message}`, {}, { fields: [{ path, message }] });
}
