// Pages of the list of models, in the official shape.

/** A listed model. Its other fields pass unchanged. */
export interface ListedModel {
  id: string;
}

/** A page of the official list. */
interface ModelPage {
  data: ListedModel[];
  has_more: boolean;
  first_id: string | null;
  last_id: string | null;
}

/** Parameters of a list, or the fault of one of them. */
export type PageQuery =
  | { kind: "page"; limit: number; afterId: string | null; beforeId: string | null; rest: string }
  | { kind: "invalid"; path: string; message: string };

const DEFAULT_LIMIT = 20;
export const MAX_LIMIT = 1_000;
const PAGING: ReadonlySet<string> = new Set(["limit", "after_id", "before_id"]);

/** Reads the paging parameters of a request target. `rest` has the other parameters, such as `beta=true`. */
export function readPageQuery(target: string): PageQuery {
  const at = target.indexOf("?");
  const query = new URLSearchParams(at === -1 ? "" : target.slice(at + 1));
  const limit = readLimit(query.get("limit"));
  if (limit === null) {
    return {
      kind: "invalid",
      path: "limit",
      message: `Input should be between 1 and ${MAX_LIMIT}`,
    };
  }
  const afterId = query.get("after_id");
  const beforeId = query.get("before_id");
  if (afterId !== null && beforeId !== null) {
    const message = "Only one of `after_id` and `before_id` may be given";
    return { kind: "invalid", path: "before_id", message };
  }
  const others = [...query].filter(([name]) => !PAGING.has(name));
  return { kind: "page", limit, afterId, beforeId, rest: new URLSearchParams(others).toString() };
}

function readLimit(text: string | null): number | null {
  if (text === null) return DEFAULT_LIMIT;
  const limit = Number(text);
  return Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT ? limit : null;
}

/**
 * Returns one page of the allowed models. The cursor can name any model of the upstream, because the rights of a key can
 * change between two pages. Null: the cursor names no model.
 */
export function pageModels(
  models: readonly ListedModel[],
  {
    limit,
    afterId,
    beforeId,
  }: Pick<PageQuery & { kind: "page" }, "limit" | "afterId" | "beforeId">,
  isAllowed: (model: string) => boolean,
): ModelPage | null {
  const from = afterId === null ? 0 : models.findIndex(({ id }) => id === afterId) + 1;
  const to = beforeId === null ? models.length : models.findIndex(({ id }) => id === beforeId);
  if ((afterId !== null && from === 0) || to === -1) return null;
  const rest = models.slice(from, to).filter(({ id }) => isAllowed(id));
  const data = beforeId === null ? rest.slice(0, limit) : rest.slice(-limit);
  return {
    data,
    has_more: rest.length > data.length,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}
