import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestDatabase } from "./database.ts";
import { test as base } from "./database-test.ts";
import { type FakeUpstream, startFakeUpstream } from "./fake-upstream.ts";
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
