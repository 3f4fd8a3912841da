import type { ObjectDescription } from "#src/db/object-tables.ts";
import { OBJECT_ID } from "#src/domain/object-name.ts";
import { refuseField, refuseFields } from "#src/domain/refuse-field.ts";
import type { ObjectCall } from "#src/gateway/object-call.ts";
import {
  type Collection,
  createOwned,
  deleteOwned,
  fetchDescription,
  getOwned,
  type ObjectCallDeps,
  relayOwned,
} from "./object-calls.ts";
import type { ObjectRow } from "./objects.sql.ts";
import { toStorable } from "./read-description.ts";
import { cursorFilters, readPage, toListAnswer } from "./read-list-query.ts";

const MEGABYTE = 1024 * 1024;
/** Files have at most 500 MB. The rest is for the form around a file. */
const MAX_UPLOAD_BYTES = 501 * MEGABYTE;
/** The official limit of `ids`. */
const MAX_IDS = 100;
/** Files of one list that are described at the same time. */
const DESCRIBED_AT_ONCE = 8;

const files: Collection = { kind: "file", path: "/v1/files", maxBytes: MAX_UPLOAD_BYTES };

/** Serves a call about files. */
export async function serveFiles(deps: ObjectCallDeps, call: ObjectCall): Promise<void> {
  switch (call.route.operation) {
    case "files.create":
      return createOwned(deps, call, files);
    case "files.list":
      return listFiles(deps, call);
    case "files.get":
    case "files.download":
      return relayOwned(call, await getOwned(deps, call, "file"));
    default:
      return deleteOwned(deps, call, files);
  }
}

async function listFiles(deps: ObjectCallDeps, call: ObjectCall): Promise<void> {
  const { objects } = deps;
  const ids = readIds(call.query);
  const page =
    ids === null
      ? await readPage(objects, call, "file")
      : ({ limit: MAX_IDS, direction: "older", from: null } as const);
  const list = { kind: "file", page, ...(ids !== null && { ids }) } as const;
  const found =
    ids?.length === 0
      ? { rows: [], first: null, last: null, hasMore: false }
      : await objects.list(call.key, list);
  const data = await describeFiles(deps, call, found.rows);
  call.answer(200, toListAnswer(found, data, cursorFilters(call, "file")));
}

/** Reads `ids[]`, without texts that are no ids. Null: the list is not restricted. */
function readIds(query: URLSearchParams): string[] | null {
  const given = [...query.getAll("ids[]"), ...query.getAll("ids")];
  if (given.length === 0) return null;
  const ids = [...new Set(given)];
  if (ids.length > MAX_IDS) throw refuseField("ids", `expected at most ${MAX_IDS} ids.`);
  const others = ["page", "limit", "after_id", "before_id"].filter((name) => query.has(name));
  if (others.length === 0) return ids.filter((id) => OBJECT_ID.test(id));
  throw refuseFields("ids cannot be used with page and limit.", ["ids", ...others]);
}

/** Describes files that a tool of Claude made, of which a response has only the id. */
async function describeFiles(
  deps: ObjectCallDeps,
  call: ObjectCall,
  rows: readonly ObjectRow[],
): Promise<ObjectDescription[]> {
  const described: ObjectDescription[] = [];
  for (let start = 0; start < rows.length; start += DESCRIBED_AT_ONCE) {
    const slice = rows.slice(start, start + DESCRIBED_AT_ONCE);
    const found = await Promise.all(
      slice.map((row) => row.description ?? describe(deps, call, row)),
    );
    described.push(...found.filter((each) => each !== null));
  }
  return described;
}

/** Null: the upstream no longer has the file. */
async function describe(
  { objects }: ObjectCallDeps,
  call: ObjectCall,
  { id, upstream_id: upstreamId }: ObjectRow,
): Promise<ObjectDescription | null> {
  const upstream = call.getUpstream(upstreamId);
  const { status, description } = await fetchDescription(call, [upstream], `${files.path}/${id}`);
  const name = { kind: "file", id, upstreamId } as const;
  if (status === 404) await objects.delete(call.key, name);
  if (description === null) return null;
  const storable = toStorable(description);
  if (storable !== null) await objects.describe(call.key, { ...name, description: storable });
  return description;
}
