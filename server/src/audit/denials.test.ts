import { sql } from "kysely";
import { expect } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import { makeAdminKeyCaller } from "#test/harness/admin-key-caller.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { listChain } from "./audit.sql.ts";
import { verifyChain } from "./verify-chain.ts";

const test = base.extend("denials", ({ h, org }) => async () => {
  await h.audit.denials.flush();
  const events = await listChain(h.deps.database, {
    organizationId: org.id,
    afterSeq: 0n,
    limit: 1000,
  });
  return events.filter(({ event }) => event === "access.denied");
});

test.beforeEach(async ({ h }) => {
  await h.audit.denials.flush();
  h.clock.nowMs = Math.ceil(h.clock.nowMs / 60_000) * 60_000;
});

test("a thousand refusals of one caller, route and minute are one event with their count", async ({
  h,
  org,
  workspaceId,
  denials,
}) => {
  const { id, key } = await org.admin.createApiKey(workspaceId, { name: "Script" });
  const startMs = h.clock.nowMs;
  for (let i = 0; i < 1000; i++) {
    h.clock.nowMs = startMs + i * 50;
    await h.as(key).post("/v1/admin/admin_keys", { name: "Mine" });
  }
  const [denied, ...others] = await denials();
  expect(others).toEqual([]);
  expect(denied).toMatchObject({
    actorType: "api_key",
    actorId: id,
    actorName: "Script",
    subjectType: "route",
    subjectId: "createAdminKey",
    workspaceId,
    before: null,
    after: {
      method: "POST",
      path: "/v1/admin/admin_keys",
      reason: "permission",
      count: 1000,
      first_at: new Date(startMs).toISOString(),
      last_at: new Date(startMs + 999 * 50).toISOString(),
    },
    ipAddress: "127.0.0.1",
  });
  expect(await verifyChain(h.deps, org.id)).toMatchObject({ kind: "intact" });
});

test("each caller, route, reason and minute has its own event", async ({
  h,
  org,
  workspaceId,
  denials,
}) => {
  const first = await org.admin.createApiKey(workspaceId);
  const second = await org.admin.createApiKey(workspaceId, { permissions: ["admin"] });
  const refuse = async () => {
    await h.as(first.key).get("/v1/admin/admin_keys");
    await h.as(second.key).get("/v1/admin/admin_keys");
    await h.as(second.key).get("/v1/admin/upstreams");
    await h.as(second.key).post("/v1/admin/workspaces/wksp_other", { name: "Hidden" });
  };
  await refuse();
  await refuse();
  h.clock.nowMs += 60_000;
  await refuse();
  const found = (await denials()).map(({ actorId, subjectId, after }) => {
    const { reason, count } = after as { reason: string; count: number };
    return [actorId === first.id ? "first" : "second", subjectId, reason, count];
  });
  const once = [
    ["first", "listAdminKeys", "permission"],
    ["second", "listAdminKeys", "permission"],
    ["second", "listUpstreams", "permission"],
    ["second", "updateWorkspace", "not_found"],
  ];
  expect(found).toEqual([...once.map((each) => [...each, 2]), ...once.map((each) => [...each, 1])]);
});

test("a read of a missing resource, an invalid body and an unknown key are not counted", async ({
  h,
  org,
  denials,
}) => {
  await org.admin.get("/v1/admin/workspaces/wksp_other");
  await org.admin.post("/v1/admin/workspaces", { nonsense: true });
  await h.as("sk-ant-admin01-unknown").get("/v1/admin/workspaces");
  expect(await denials()).toEqual([]);
});

test("refusals of thousands of callers fill neither the log nor the memory", async ({
  h,
  org,
  denials,
}) => {
  for (let i = 0; i < 5_000; i++) {
    h.audit.denials.record({
      caller: makeAdminKeyCaller(`adminkey_${i}`, org.id),
      origin: { requestId: `req_${i}`, ipAddress: null, userAgent: null },
      route: { operationId: "createUpstream", method: "POST", path: "/v1/admin/upstreams" },
      refusal: new ApiError("permission_denied", "no"),
    });
  }
  const found = await denials();
  expect(found).toHaveLength(201);
  expect(found.at(-1)).toMatchObject({
    actorType: "system",
    actorId: "many callers",
    subjectId: "other",
    after: { count: 4_800 },
  });
});

test("refusals that cannot be written are written with the next flush, with later ones added", async ({
  h,
  org,
  workspaceId,
  denials,
}) => {
  const { key } = await org.admin.createApiKey(workspaceId);
  const refuse = () => h.as(key).get("/v1/admin/admin_keys");
  await refuse();
  await sql`ALTER TABLE audit_event RENAME TO audit_event_away`.execute(h.deps.database);
  await h.audit.denials.flush();
  await sql`ALTER TABLE audit_event_away RENAME TO audit_event`.execute(h.deps.database);
  await refuse();
  expect((await denials()).map(({ after }) => after)).toMatchObject([{ count: 2 }]);
  expect(h.logs.join()).toContain("refusals could not be written");
});
