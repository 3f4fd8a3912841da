import { expect } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import type { OwnCap } from "#src/domain/own-caps.ts";
import { startAdmin } from "#test/harness/admin.ts";
import { test } from "#test/harness/admin-test.ts";
import { signInLaptop } from "#test/harness/laptops.ts";

const URL = "/api/oauth/usage";
const CAP: OwnCap = {
  period: "monthly",
  limitNanoUsd: 500_000_000_000n,
  spentNanoUsd: 410_000_000_000n,
  resetMs: Date.UTC(2026, 11, 1),
};

test("a laptop reads the caps and the spend of its person alone", async ({
  h,
  org,
  workspaceId,
}) => {
  const workspaces = { [workspaceId]: "workspace_user" } as const;
  const ada = await org.member({ workspaces });
  const { accessToken, apiKeyId } = await signInLaptop(h.deps, {
    organizationId: org.id,
    workspaceId,
    memberId: ada.id,
  });
  await org.recordRequest({ workspaceId, apiKeyId, memberId: ada.id });
  const other = await org.member({ workspaces });
  const limit = { scope: { type: "member", member_id: other.id }, period: "monthly", limit_usd: 1 };
  expect((await org.operator.post("/v1/admin/spend_limits", limit)).status).toBe(200);
  const get = (authorization: string) =>
    h.visitor.send<object>({ method: "GET", url: URL, headers: { authorization } });

  const answer = await get(`Bearer ${accessToken}`);
  const [month, day, week] = [expect.any(Number), expect.any(Number), expect.any(Number)];
  expect([answer.status, answer.headers["cache-control"]]).toEqual([200, "no-store"]);
  expect(answer.headers["x-should-retry"]).toBeUndefined();
  expect(answer.body).toEqual({
    extra_usage: {
      is_enabled: true,
      monthly_limit: null,
      used_credits: month,
      utilization: null,
      currency: "USD",
      daily: { limit: null, used_credits: day, utilization: null },
      weekly: { limit: null, used_credits: week, utilization: null },
    },
    limits: [],
  });

  for (const wrong of ["", "Bearer ", `Bearer ${org.adminKey}`, `Bearer ${accessToken}x`]) {
    const refused = await get(wrong);
    expect([refused.status, refused.headers["x-should-retry"]]).toEqual([401, "false"]);
  }
});

test("caps are in the shape of the client, and a lost database is a 503", async () => {
  let isAway = false;
  const h = await startAdmin({
    personSpend: {
      prepare: () => undefined,
      readCaps: async () => {
        if (isAway) throw new ApiError("database_unavailable", "Away.");
        return [CAP];
      },
      readSpend: () => Promise.reject(new Error("there is a cap")),
    },
  });
  const org = await h.organization();
  const workspaceId = (await org.admin.createWorkspace()).id;
  const ada = await org.member({ workspaces: { [workspaceId]: "workspace_user" } });
  const of = { organizationId: org.id, workspaceId, memberId: ada.id };
  const { accessToken } = await signInLaptop(h.deps, of);
  const headers = { authorization: `Bearer ${accessToken}` };
  const get = () => h.visitor.send<object>({ method: "GET", url: URL, headers });
  expect((await get()).body).toEqual({
    extra_usage: {
      is_enabled: true,
      monthly_limit: 50_000,
      used_credits: 41_000,
      utilization: 82,
      currency: "USD",
    },
    limits: [
      {
        kind: "spend",
        group: "monthly",
        percent: 82,
        resets_at: "2026-12-01T00:00:00.000Z",
        severity: "warning",
        is_active: true,
      },
    ],
  });
  isAway = true;
  expect((await get()).status).toBe(503);
  await h.close();
});

test("a laptop that reads its settings has its spend read before its first message", async () => {
  const prepared: unknown[] = [];
  const h = await startAdmin({
    personSpend: {
      prepare: (person) => void prepared.push(person),
      readCaps: async () => [],
      readSpend: () => Promise.reject(new Error("no usage is read")),
    },
  });
  const org = await h.organization();
  const workspaceId = (await org.admin.createWorkspace()).id;
  const ada = await org.member({ workspaces: { [workspaceId]: "workspace_user" } });
  const of = { organizationId: org.id, workspaceId, memberId: ada.id };
  const { accessToken, apiKeyId } = await signInLaptop(h.deps, of);
  const headers = { authorization: `Bearer ${accessToken}` };
  await h.visitor.send<object>({ method: "GET", url: "/managed/settings", headers });
  expect(prepared).toEqual([{ organizationId: org.id, memberId: ada.id, apiKeyId }]);
});
