import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import type { TestDatabase } from "./database.ts";
import { test as base } from "./database-test.ts";
import { type FakeUpstream, type Script, startFakeUpstream } from "./fake-upstream.ts";
import type { Answer } from "./gateway.ts";
import {
  type ObjectClient,
  type ObjectGateway,
  type ObjectGatewayOptions,
  openObjectGateway,
} from "./object-gateway.ts";

/** Silence of an upstream that ends a request, milliseconds. */
const IDLE_MS = 1_200;

/** A gateway in front of stand-ins, with one workspace. */
export interface Several extends ObjectGateway {
  db: TestDatabase;
  client: ObjectClient;
  upstreams: readonly StandIn[];
  counts(): number[];
}

type StandIn = Pick<FakeUpstream, "origin" | "received">;

let made = 0;
/** Tests of stored objects at several upstreams. */
export const test = base
  .extend("folder", async ({}, { onCleanup }) => {
    const folder = await mkdtemp(join(tmpdir(), "bursar-object-failover-"));
    onCleanup(() => rm(folder, { recursive: true }));
    return folder;
  })
  .extend("pair", async ({}, { onCleanup }) => {
    const pair = [await startFakeUpstream(), await startFakeUpstream()] as const;
    onCleanup(async () => {
      await Promise.all(pair.map((each) => each.close()));
    });
    return pair;
  })
  /** Opens a gateway in front of stand-ins. Each test has a workspace of its own. */
  .extend("openSeveral", ({ db, folder: batchFolder }) => {
    return async (
      upstreams: readonly StandIn[],
      more: Pick<ObjectGatewayOptions, "gateway" | "objects"> = {},
    ): Promise<Several> => {
      const [origin = "", ...others] = upstreams.map((upstream) => upstream.origin);
      const gateway = { others, idleTimeoutMs: IDLE_MS, ...more.gateway };
      const opened = await openObjectGateway({ ...more, db, origin, batchFolder, gateway });
      made += 1;
      const client = opened.addWorkspace(`wrkspc_failover_${made}`);
      const counts = () => upstreams.map(({ received }) => received.length);
      return { ...opened, db, client, upstreams, counts };
    };
  });

const refuse =
  (status: number, type: string): Script =>
  ({ json }) =>
    json({ type: "error", error: { type, message: "no" } }, { status });
/** Upstreams that get a request, and do not answer it with success. */
export const scripts = {
  reset: ({ reset }) => reset(),
  hang: () => undefined,
  "500": refuse(500, "api_error"),
  "400": refuse(400, "invalid_request_error"),
  "429": refuse(429, "rate_limit_error"),
  "529": refuse(529, "overloaded_error"),
} satisfies Record<string, Script>;

let ids = 0;
/** The first workspace with an id keeps it, so each test has its own ids. */
export function newId(kind: string): string {
  ids += 1;
  return `${kind}_${ids}`;
}

export const kinds = ["file", "skill", "batch"] as const;
export type Kind = (typeof kinds)[number];
export const paths = { file: "/v1/files", skill: "/v1/skills", batch: "/v1/messages/batches" };
const requests = [
  {
    custom_id: "one",
    params: {
      model: "claude-sonnet-5",
      max_tokens: 5,
      messages: [{ role: "user", content: "Hi" }],
    },
  },
];
export const bodies: Record<Kind, string> = {
  file: "a file",
  skill: "a skill",
  batch: JSON.stringify({ requests }),
};

export const describeObject = (kind: Kind, id: string) =>
  kind === "batch"
    ? {
        id,
        type: "message_batch",
        processing_status: "in_progress",
        request_counts: { processing: 1 },
        created_at: new Date().toISOString(),
        results_url: null,
      }
    : { id, type: kind, created_at: new Date().toISOString() };

/** Creates one object of the kind, and describes it. */
export const serve =
  (kind: Kind, id: string): Script =>
  ({ json }) =>
    json(describeObject(kind, id));

export const create = ({ client }: Several, kind: Kind, body: string | Buffer = bodies[kind]) =>
  client.call({
    path: paths[kind],
    headers: { "content-length": String(Buffer.byteLength(body)) },
    body,
  });

/** Row of the newest object of the workspace. */
export async function findRow({ db, client }: Several, kind: Kind) {
  const isBatch = kind === "batch";
  const table = sql.table(isBatch ? "message_batch" : "upstream_object");
  const newest = sql.ref(isBatch ? "started_at" : "created_at");
  const id = sql.ref(isBatch ? "upstream_batch_id" : "id");
  const state = isBatch ? sql`state` : sql`'running'`;
  const { rows } = await sql<Row>`
    SELECT ${id} AS id, upstream_id AS upstream, failover, ${state} AS state FROM ${table}
    WHERE workspace_id = ${client.workspaceId} ORDER BY ${newest} DESC LIMIT 1`.execute(
    db.database,
  );
  return rows[0] ?? null;
}

interface Row {
  id: string | null;
  upstream: string;
  failover: string | null;
  state: string;
}

export const codeOf = ({ text }: Answer) => JSON.parse(text).error.details?.error_code;
