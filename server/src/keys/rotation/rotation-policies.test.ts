import type { apiKey } from "@bursar/contract/admin/api-keys.ts";
import type { rotationPolicy } from "@bursar/contract/admin/rotation-policies.ts";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Listed, TestMember } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { enforceRotation } from "./enforce-rotation.ts";

type Policy = z.output<typeof rotationPolicy>;
type ApiKey = z.output<typeof apiKey>;

const DAY_MS = 86_400_000;
const KEYS = "/v1/admin/api_keys";

const test = base.extend("company", ({ h, org }) => {
  const set = (rotation_days: number | null, more = {}) =>
    org.operator.post<Policy>(url, { rotation_days, ...more });

  const makeKey = () =>
    owner.client.createApiKey(workspaceId, { name: "build", owner_member_id: owner.id });

  const keyOf = async (id: string) => (await org.operator.get<ApiKey>(`${KEYS}/${id}`)).body;

  const mail = async () => {
    const { body } = await org.operator.get<Listed<{ to: string; subject: string }>>(
      "/v1/admin/mail?limit=100",
    );
    return body.data.map(({ to, subject }) => [to, subject]).reverse();
  };

  /** Runs the job on two nodes at once. */
  async function onDay(days: number): Promise<void> {
    h.clock.nowMs = startMs + days * DAY_MS;
    await Promise.all([enforceRotation(h.deps), enforceRotation(h.deps)]);
  }

  return { set, makeKey, keyOf, mail, onDay };
});

let workspaceId: string;
let url: string;
let owner: TestMember;
let startMs: number;

test.beforeAll(async ({ h }) => {
  startMs = h.clock.nowMs;
});
test.beforeEach(async ({ h, org }) => {
  h.clock.nowMs = startMs;
  await sql`DELETE FROM rotation_policy`.execute(h.deps.database);
  ({ id: workspaceId } = await org.operator.createWorkspace());
  url = `/v1/admin/workspaces/${workspaceId}/rotation_policy`;
  owner = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
});

describe("the policy", () => {
  test("is empty by default, and is replaced, removed and audited", async ({ h, org, company }) => {
    const none = {
      type: "rotation_policy",
      workspace_id: workspaceId,
      rotation_days: null,
      remind_days: null,
      grace_days: null,
      effective_at: null,
      keys: { due_soon: 0, overdue: 0 },
    };
    expect((await org.operator.get(url)).body).toEqual(none);
    expect((await company.set(90)).body).toEqual({
      ...none,
      rotation_days: 90,
      remind_days: 14,
      grace_days: 14,
      effective_at: new Date(startMs).toISOString(),
    });
    expect((await company.set(10)).body.remind_days).toBe(5);
    expect((await company.set(10)).status).toBe(200);
    expect((await company.set(null)).body).toEqual(none);
    const events = await auditEventsOf(h.deps.database, workspaceId);
    expect(events.filter(({ event }) => event === "rotation_policy.set")).toMatchObject([
      { before: null, after: { rotation_days: 90, remind_days: 14, grace_days: 14 } },
      { before: { rotation_days: 90 }, after: { rotation_days: 10, remind_days: 5 } },
      { before: { rotation_days: 10 }, after: null },
    ]);
  });

  test.for([
    [{ rotation_days: 1 }, "rotation_days"],
    [{ rotation_days: 3651 }, "rotation_days"],
    [{ rotation_days: 10, remind_days: 10 }, "remind_days: expected fewer days than rotation_days"],
    [{ rotation_days: 10, grace_days: 0 }, "grace_days"],
    [{}, "rotation_days"],
  ] as const)("refuses %j", async ([body, message], { org }) => {
    const answer = await org.operator.post(url, body);
    expect([answer.status, answer.error.message]).toEqual([400, expect.stringContaining(message)]);
  });

  test("can be set by a Workspace Admin only, and not in an archived workspace", async ({
    org,
    company,
  }) => {
    const lead = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
    expect((await owner.client.post(url, { rotation_days: 30 })).status).toBe(403);
    expect((await lead.client.post(url, { rotation_days: 30 })).status).toBe(200);
    expect((await owner.client.get<Policy>(url)).body.rotation_days).toBe(30);
    await org.operator.post(`/v1/admin/workspaces/${workspaceId}/archive`);
    expect((await company.set(60)).status).toBe(400);
  });
});

test("an old key is due, overdue and expired in turn, each with one message to its owner", async ({
  h,
  org,
  company,
}) => {
  const key = await company.makeKey();
  await company.set(90, { remind_days: 10, grace_days: 5 });
  expect((await company.keyOf(key.id)).rotation).toEqual({
    due_at: new Date(startMs + 90 * DAY_MS).toISOString(),
    expires_at: new Date(startMs + 95 * DAY_MS).toISOString(),
  });
  await company.onDay(79.9);
  expect(await company.mail()).toEqual([]);
  await company.onDay(80);
  expect((await org.operator.get<Policy>(url)).body.keys).toEqual({ due_soon: 1, overdue: 0 });
  await company.onDay(85);
  await company.onDay(90);
  expect((await org.operator.get<Policy>(url)).body.keys).toEqual({ due_soon: 0, overdue: 1 });
  await company.onDay(94.9);
  expect((await company.keyOf(key.id)).status).toBe("active");
  await company.onDay(95);
  await company.onDay(96);
  expect(await company.mail()).toEqual([
    [owner.email, "Rotate an API key: build"],
    [owner.email, "Rotation of an API key is overdue: build"],
    [owner.email, "An API key has expired: build"],
  ]);
  expect(await company.keyOf(key.id)).toMatchObject({
    status: "expired",
    expires_at: new Date(startMs + 95 * DAY_MS).toISOString(),
    rotation: null,
  });
  const events = (await auditEventsOf(h.deps.database, key.id)).slice(1);
  expect(events).toMatchObject([
    {
      event: "api_key.expired",
      actor_type: "system",
      actor_id: "rotation_policy",
      workspace_id: workspaceId,
      before: { expires_at: null },
      after: { rotation_policy: { rotation_days: 90, grace_days: 5 } },
    },
  ]);
});

test("a rotation restarts the age of a key", async ({ org, company }) => {
  const key = await company.makeKey();
  // Without the message that the key was rotated.
  const countNotices = async () =>
    (await company.mail()).filter(([, subject]) => !subject?.endsWith("for you")).length;
  await company.set(90, { remind_days: 10, grace_days: 5 });
  await company.onDay(92);
  expect(await countNotices()).toBe(1);
  await org.operator.post(`${KEYS}/${key.id}/rotate`, { grace_period_seconds: 3600 });
  await company.onDay(100);
  expect((await company.keyOf(key.id)).status).toBe("active");
  expect(await countNotices()).toBe(1);
  await company.onDay(92 + 80);
  expect(await countNotices()).toBe(2);
});

test("a new policy starts with the reminder period, also for an old key", async ({
  h,
  company,
}) => {
  const key = await company.makeKey();
  h.clock.nowMs = startMs + 1_000 * DAY_MS;
  await company.set(30, { remind_days: 7, grace_days: 7 });
  await company.onDay(1_000);
  expect(await company.mail()).toEqual([[owner.email, "Rotate an API key: build"]]);
  await company.onDay(1_013.9);
  expect((await company.keyOf(key.id)).status).toBe("active");
  await company.onDay(1_014);
  expect((await company.keyOf(key.id)).status).toBe("expired");
});

test("a stricter policy starts its reminder period again, and a looser one does not", async ({
  h,
  company,
}) => {
  const key = await company.makeKey();
  await company.set(100, { remind_days: 10, grace_days: 10 });
  h.clock.nowMs = startMs + 50 * DAY_MS;
  await company.set(20, { remind_days: 10, grace_days: 10 });
  const dueDay = async () =>
    (Date.parse((await company.keyOf(key.id)).rotation?.due_at ?? "") - startMs) / DAY_MS;
  expect(await dueDay()).toBe(60);
  h.clock.nowMs = startMs + 55 * DAY_MS;
  await company.set(59, { remind_days: 10, grace_days: 10 });
  expect(await dueDay()).toBe(60);
});

test("a key expires one grace period after its first notice, when the server was off", async ({
  company,
}) => {
  const key = await company.makeKey();
  await company.set(90, { remind_days: 10, grace_days: 5 });
  await company.onDay(400);
  expect((await company.keyOf(key.id)).status).toBe("active");
  expect(await company.mail()).toEqual([[owner.email, "Rotation of an API key is overdue: build"]]);
  await company.onDay(404.9);
  expect((await company.keyOf(key.id)).status).toBe("active");
  await company.onDay(405);
  expect((await company.keyOf(key.id)).status).toBe("expired");
});

test("notices of a workspace's key go to its admins, or else to Owners and Admins", async ({
  org,
  company,
}) => {
  await org.operator.createApiKey(workspaceId, { name: "shared" });
  const boss = await org.member({ role: "owner" });
  await company.set(30, { remind_days: 7, grace_days: 7 });
  await company.onDay(23);
  expect(await company.mail()).toEqual([[boss.email, "Rotate an API key: shared"]]);
  const lead = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
  await company.onDay(30);
  expect((await company.mail()).slice(1)).toEqual([
    [lead.email, "Rotation of an API key is overdue: shared"],
  ]);
});

test("a rotation during the expiry either keeps the key or is refused", async ({
  h,
  org,
  company,
}) => {
  const key = await company.makeKey();
  await company.set(90, { remind_days: 10, grace_days: 5 });
  await company.onDay(91);
  h.clock.nowMs = startMs + 96 * DAY_MS;
  const [rotation] = await Promise.all([
    org.operator.post(`${KEYS}/${key.id}/rotate`, {}),
    enforceRotation(h.deps),
  ]);
  const after = await company.keyOf(key.id);
  expect([rotation.status, after.status]).toEqual(
    rotation.status === 200 ? [200, "active"] : [400, "expired"],
  );
});
