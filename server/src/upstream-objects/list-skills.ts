import type { ObjectDescription } from "#src/db/object-tables.ts";
import { readCursor, readListLimit } from "#src/domain/page-position.ts";
import { findWorking } from "#src/gateway/failover.ts";
import type { ObjectCall } from "#src/gateway/object-call.ts";
import { decodeCursor, encodeCursor } from "#src/lib/page-cursor.ts";
import type { StreamedAnswer } from "#src/lib/streamed-answer.ts";
import type { UpstreamOrder } from "#src/upstreams/upstream.ts";
import {
  isSuccess,
  makeUnknownAnswerError,
  type ObjectCallDeps,
  readDescription,
} from "./object-calls.ts";
import { isObject, isPublishedSkill } from "./read-description.ts";
import { cursorFilters, readPage, toListAnswer } from "./read-list-query.ts";

// Lists of skills: those of the workspace from the table, and then those that the provider publishes for everyone. Other
// skills of the shared account are never listed, whatever the upstream returns.

const LIST = "/v1/skills";
const CUSTOM = "custom";
const PUBLISHED = "anthropic";

/** A part of a list of the upstream. */
interface UpstreamPage {
  data: ObjectDescription[];
  nextPage: string | null;
}

export async function listSkills(deps: ObjectCallDeps, call: ObjectCall): Promise<void> {
  const source = call.query.get("source") || null;
  const list = `skill ${source ?? ""}`;
  const filters = cursorFilters(call, `published ${list}`);
  const cursor = call.query.get("page");
  const place = cursor === null ? null : decodeCursor(cursor, filters, ["string", "string"]);
  if (Array.isArray(place)) {
    const [upstreamId, page] = place.map(String);
    return answerPublished(call, {
      order: [call.getUpstream(upstreamId ?? "")],
      source: source ?? PUBLISHED,
      page: page ?? null,
      limit: readListLimit(call.query),
      own: [],
      filters,
    });
  }
  const order = call.upstreams();
  const limit = readListLimit(call.query);
  const published = { order, source: source ?? PUBLISHED, page: null, filters };
  if (source !== null && source !== CUSTOM) {
    return answerPublished(call, { ...published, limit, own: [] });
  }
  const request = await readPage(deps.objects, call, "skill", list);
  const found = await deps.objects.list(call.key, { kind: "skill", page: request });
  const own = found.rows.map(({ description }) => description).filter((each) => each !== null);
  const rest = limit - found.rows.length;
  if (source === CUSTOM || found.hasMore || rest <= 0 || request.direction === "newer") {
    const answer = toListAnswer(found, own, cursorFilters(call, list));
    const isFull = source === null && !found.hasMore && request.direction === "older";
    const next = isFull ? encodeCursor([findWorking(order).id, ""], filters) : answer["next_page"];
    call.answer(200, { ...answer, next_page: next, has_more: next !== null });
    return;
  }
  return answerPublished(call, { ...published, limit: rest, own });
}

interface PublishedList {
  order: UpstreamOrder;
  source: string;
  /** Cursor of the upstream. Null or empty: its first page. */
  page: string | null;
  limit: number;
  /** Skills of the workspace on the same page. */
  own: readonly ObjectDescription[];
  filters: unknown;
}

async function answerPublished(call: ObjectCall, list: PublishedList): Promise<void> {
  const { order, source, page, limit, own, filters } = list;
  const query = new URLSearchParams({ source, limit: String(limit) });
  if (page !== null && page !== "") query.set("page", page);
  const target = `${LIST}?${query}`;
  const { answer, upstream } = await call.sendInOrder(order, { method: "GET", target });
  if (!isSuccess(answer)) return call.relay(answer);
  const read = await readUpstreamPage(answer);
  const data = [...own, ...read.data.filter(isPublishedSkill)];
  const next = read.nextPage === null ? null : encodeCursor([upstream.id, read.nextPage], filters);
  call.answer(200, { data, next_page: next, has_more: next !== null });
}

/** Lists the versions of one skill. Its cursors belong to the skill, the workspace and the upstream of the first page. */
export async function listVersions(
  call: ObjectCall,
  findReadable: (order: () => UpstreamOrder) => Promise<UpstreamOrder>,
): Promise<void> {
  const { id } = call.route;
  const filters = cursorFilters(call, `versions of ${id}`);
  const query = new URLSearchParams(call.query);
  const cursor = query.get("page");
  let order: () => UpstreamOrder = () => call.upstreams();
  if (cursor !== null && cursor !== "") {
    const [upstreamId, page] = readCursor(cursor, filters, ["string", "string"]);
    order = () => [call.getUpstream(String(upstreamId))];
    query.set("page", String(page));
  }
  const target = `${LIST}/${id}/versions${query.size === 0 ? "" : `?${query}`}`;
  const readable = await findReadable(order);
  const { answer, upstream } = await call.sendInOrder(readable, { method: "GET", target });
  if (!isSuccess(answer)) return call.relay(answer);
  const { data, nextPage } = await readUpstreamPage(answer);
  const next = nextPage === null ? null : encodeCursor([upstream.id, nextPage], filters);
  const own = data.filter(({ skill_id: skillId }) => skillId === id);
  call.answer(200, { data: own, next_page: next, has_more: next !== null });
}

async function readUpstreamPage(answer: StreamedAnswer): Promise<UpstreamPage> {
  const { description } = await readDescription(answer);
  const data = description?.["data"];
  const nextPage = description?.["next_page"] ?? null;
  if (!Array.isArray(data) || !(nextPage === null || typeof nextPage === "string")) {
    throw makeUnknownAnswerError();
  }
  return { data: data.filter(isObject), nextPage };
}
