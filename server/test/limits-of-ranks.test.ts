import { findRank, includesRank, type RankedCaller } from "@bursar/contract/permissions.ts";
import type { OwnScope } from "@bursar/contract/scope.ts";
import { describe, expect } from "vitest";
import type { AdminHarness, Client, TestOrganization } from "./harness/admin.ts";
import { test as base } from "./harness/admin-test.ts";

// Limits of every kind and scope, set and removed by each pair of callers. A lower rank neither removes nor raises what a
// higher one has set. A higher rank removes values of lower ones, and changes them by their name. The contract's table says
// which rank a caller has.

const changers = [
  "local_operator",
  "owner",
  "admin",
  "admin_key",
  "billing",
  "workspace_admin",
  "api_key",
] as const satisfies readonly RankedCaller[];
type Changer = (typeof changers)[number];

interface Limit {
  id: string;
  version: number;
  values: { rank: string; set_by: { id: string } | null }[];
  limit_usd?: number;
  requests_per_minute?: number;
}

interface Kind {
  path: string;
  /** Body of a change to this number. */
  set: (number: number) => object;
  read: (limit: Limit) => number | undefined;
  changers: readonly Changer[];
}

const kinds: Record<string, Kind> = {
  "spend limit": {
    path: "/v1/admin/spend_limits",
    set: (limit_usd) => ({ period: "monthly", limit_usd }),
    read: ({ limit_usd }) => limit_usd,
    changers,
  },
  "rate limit": {
    path: "/v1/admin/rate_limits",
    set: (requests_per_minute) => ({ requests_per_minute }),
    read: ({ requests_per_minute }) => requests_per_minute,
    changers: changers.filter((changer) => changer !== "billing"),
  },
};

const organizationCallers: readonly Changer[] = changers.slice(0, 5);

interface Scene {
  clients: Record<Changer, Client>;
  newScope: Record<OwnScope["type"], () => Promise<OwnScope>>;
}

async function makeScene(
  h: AdminHarness,
  org: TestOrganization,
  workspaceId: string,
): Promise<Scene> {
  const roleOf = async (role: "owner" | "admin" | "billing") => (await org.member({ role })).client;
  const workspaces = { [workspaceId]: "workspace_admin" } as const;
  const adminApiKey = await org.admin.createApiKey(workspaceId, { permissions: ["admin"] });
  return {
    clients: {
      local_operator: org.operator,
      owner: await roleOf("owner"),
      admin: await roleOf("admin"),
      admin_key: org.admin,
      billing: await roleOf("billing"),
      workspace_admin: (await org.member({ workspaces })).client,
      api_key: h.as(adminApiKey.key),
    },
    newScope: {
      organization: async () => ({ type: "organization" }),
      workspace: async () => ({ type: "workspace", workspace_id: workspaceId }),
      api_key: async () => {
        const { id } = await org.operator.createApiKey(workspaceId);
        return { type: "api_key", api_key_id: id };
      },
    },
  };
}

const test = base.extend("scene", ({ h, org, workspaceId }) => makeScene(h, org, workspaceId));

describe.for(Object.entries(kinds))("a %s", ([, kind]) => {
  const { path, set, read } = kind;

  describe.for(["organization", "workspace", "api_key"] as const)("of scope %s", (type) => {
    const callers = kind.changers.filter(
      (changer) => type !== "organization" || organizationCallers.includes(changer),
    );

    test.for(callers)("set by %s", async (setter, { org, scene }) => {
      const { clients, newScope } = scene;
      const rank = findRank(setter, "limits");
      for (const other of callers) {
        const scope = await newScope[type]();
        const made = await clients[setter].post<Limit>(path, { scope, ...set(100) });
        expect([other, made.status]).toEqual([other, 200]);
        expect(made.body.values).toMatchObject([{ rank }]);
        const url = `${path}/${made.body.id}`;
        const now = async () => (await org.operator.get<Limit>(url)).body;

        const otherRank = findRank(other, "limits");
        const isAllowed = includesRank(otherRank, rank);
        const raised = await clients[other].post<Limit>(path, { scope, ...set(900) });
        expect([other, raised.status]).toEqual([other, 200]);
        expect([other, read(raised.body)]).toEqual([other, otherRank === rank ? 900 : 100]);
        const named = await clients[other].post(path, { scope, ...set(800), rank });
        expect([other, named.status]).toEqual([other, isAllowed ? 200 : 403]);
        expect([other, read(await now())]).toEqual([other, isAllowed ? 800 : 100]);

        const lowered = await clients[other].post<Limit>(path, { scope, ...set(5) });
        expect([other, lowered.status, read(lowered.body)]).toEqual([other, 200, 5]);

        const removed = await clients[other].remove<object>(url);
        expect([other, removed.status]).toEqual([other, 200]);
        const again = await clients[other].remove(url);
        expect([other, again.status]).toEqual([other, isAllowed ? 404 : 403]);
        if (isAllowed) continue;
        const [value] = made.body.values;
        expect(again.error.details).toMatchObject({
          error_code: "limit_set_above",
          set_above: { rank, set_by: value?.set_by },
        });
        expect([other, read(await now())]).toEqual([other, 100]);
        expect((await clients[setter].remove(url)).status).toBe(200);
      }
    });
  });
});

describe("an `admin` key of a workspace", () => {
  test("neither raises nor deletes the limit that the organization put on the workspace", async ({
    org,
    workspaceId,
    scene,
  }) => {
    const attacker = scene.clients.api_key;
    const scope = { type: "workspace", workspace_id: workspaceId };
    const short = { workspace_id: workspaceId };
    const SHORT = "/v1/admin/workspaces/limits";
    const { id } = (await org.admin.post<Limit>(SHORT, { ...short, monthly_limit_usd: 100 })).body;
    for (const answer of [
      await attacker.remove(`/v1/admin/spend_limits/${id}`),
      await attacker.remove(`/v1/organizations/spend_limits/${id}`),
      await attacker.post(SHORT, { ...short, monthly_limit_usd: null }),
    ]) {
      expect(answer).toMatchObject({
        status: 403,
        error: { details: { error_code: "limit_set_above", set_above: { rank: "admin" } } },
      });
    }
    const raised = await attacker.post(SHORT, { ...short, monthly_limit_usd: 9_999 });
    expect(raised.body).toMatchObject({
      monthly_limit_usd: 100,
      values: [
        { rank: "admin", limit_usd: 100 },
        { rank: "workspace", limit_usd: 9_999 },
      ],
    });
    const alerts = { enforcement: "alert_only", monthly_limit_usd: 1 };
    const weakened = await attacker.post(SHORT, { ...short, ...alerts });
    expect(weakened.body).toMatchObject({ monthly_limit_usd: 100, enforcement: "strict" });
    const named = await attacker.post("/v1/admin/spend_limits", {
      ...{ scope, period: "monthly", limit_usd: 9_999, rank: "admin" },
    });
    expect([named.status, named.error.details?.error_code]).toEqual([403, "permission_denied"]);
  });

  test("does not free itself of a limit of $0", async ({ h, org, workspaceId }) => {
    const { id, key } = await org.admin.createApiKey(workspaceId, { permissions: ["admin"] });
    const scope = { type: "api_key", api_key_id: id };
    const zero = { scope, period: "daily", limit_usd: 0 };
    const made = await org.admin.post<Limit>("/v1/admin/spend_limits", zero);
    const itself = h.as(key);
    const raised = await itself.post<Limit>("/v1/admin/spend_limits", { ...zero, limit_usd: 50 });
    expect(raised.body.limit_usd).toBe(0);
    expect((await itself.remove(`/v1/admin/spend_limits/${made.body.id}`)).status).toBe(200);
    expect((await itself.remove(`/v1/admin/spend_limits/${made.body.id}`)).status).toBe(403);
  });
});

describe("values of several ranks", () => {
  test("a limit that stays while a higher rank has a value names what stays", async ({
    org,
    workspaceId,
    scene,
  }) => {
    const scope = { type: "workspace", workspace_id: workspaceId };
    const body = { scope, period: "monthly" };
    await org.admin.post("/v1/admin/spend_limits", { ...body, limit_usd: 100 });
    const lowered = await scene.clients.api_key.post<Limit>("/v1/admin/spend_limits", {
      ...{ ...body, limit_usd: 40, enforcement: "soft" },
    });
    expect(lowered.body).toMatchObject({ limit_usd: 40, enforcement: "strict" });
    const url = `/v1/admin/spend_limits/${lowered.body.id}`;
    const removed = await scene.clients.api_key.remove(url);
    expect(removed.body).toMatchObject({ values: [{ rank: "admin", limit_usd: 100 }] });
    expect((await org.admin.get(url)).body).toMatchObject({ limit_usd: 100 });
  });

  test("an Admin raises what a Workspace Admin set lower, by its rank", async ({
    org,
    workspaceId,
    scene,
  }) => {
    const scope = { type: "workspace", workspace_id: workspaceId };
    const body = { scope, period: "monthly" };
    const LIMITS = "/v1/admin/spend_limits";
    await scene.clients.workspace_admin.post(LIMITS, { ...body, limit_usd: 40 });
    const own = await org.admin.post<Limit>(LIMITS, { ...body, limit_usd: 100 });
    expect(own.body.limit_usd).toBe(40);
    const named = await org.admin.post<Limit>(LIMITS, {
      ...{ ...body, limit_usd: 70, rank: "workspace", if_version: own.body.version },
    });
    expect(named.body).toMatchObject({ limit_usd: 70, values: [{}, { rank: "workspace" }] });
    const removed = await org.admin.remove(`${LIMITS}/${named.body.id}?rank=workspace`);
    expect(removed.body).toMatchObject({ values: [{ rank: "admin", limit_usd: 100 }] });
  });

  test("a lower rank neither holds what a higher one refuses, nor frees itself of it", async ({
    org,
    workspaceId,
    scene,
  }) => {
    const scope = { type: "workspace", workspace_id: workspaceId };
    const body = { scope, period: "monthly", limit_usd: 100 };
    const LIMITS = "/v1/admin/spend_limits";
    await org.admin.post(LIMITS, { ...body, unknown_features: "refuse" });
    const { workspace_admin, api_key, owner } = scene.clients;
    for (const client of [workspace_admin, api_key]) {
      const held = await client.post<Limit>(LIMITS, { ...body, unknown_features: "hold" });
      expect(held.body).toMatchObject({
        unknown_features: "refuse",
        values: [
          { rank: "admin", unknown_features: "refuse" },
          { rank: "workspace", unknown_features: "hold" },
        ],
      });
    }
    const eased = await owner.post<Limit>(LIMITS, { ...body, rank: "admin" });
    expect(eased.body).toMatchObject({ unknown_features: "hold" });
    const refused = await api_key.post<Limit>(LIMITS, { ...body, unknown_features: "refuse" });
    expect(refused.body).toMatchObject({ unknown_features: "refuse" });
  });

  test("a lower rank does not hold in steps what a higher one holds whole", async ({
    org,
    workspaceId,
    scene,
  }) => {
    const scope = { type: "workspace", workspace_id: workspaceId };
    const body = { scope, period: "monthly", limit_usd: 100 };
    const LIMITS = "/v1/admin/spend_limits";
    await org.admin.post(LIMITS, { ...body, hold: "whole" });
    const { workspace_admin, api_key, owner } = scene.clients;
    for (const client of [workspace_admin, api_key]) {
      const held = await client.post<Limit>(LIMITS, { ...body, hold: "steps" });
      expect(held.body).toMatchObject({
        hold: "whole",
        values: [
          { rank: "admin", hold: "whole" },
          { rank: "workspace", hold: "steps" },
        ],
      });
    }
    const eased = await owner.post<Limit>(LIMITS, { ...body, rank: "admin", hold: "steps" });
    expect(eased.body).toMatchObject({ hold: "steps" });
    const stricter = await api_key.post<Limit>(LIMITS, { ...body, hold: "whole" });
    expect(stricter.body).toMatchObject({ hold: "whole" });
  });

  test("a limit that an older version has changed counts as set by an Admin", async ({
    h,
    org,
    workspaceId,
    scene,
  }) => {
    const scope = { type: "workspace", workspace_id: workspaceId };
    const body = { scope, period: "monthly" };
    const LIMITS = "/v1/admin/spend_limits";
    const { id } = (
      await scene.clients.workspace_admin.post<Limit>(LIMITS, { ...body, limit_usd: 40 })
    ).body;
    await h.deps.database
      .updateTable("spend_limit")
      .set({ amount_nano_usd: 30_000_000_000n })
      .where("id", "=", id)
      .execute();
    expect((await org.admin.get(`${LIMITS}/${id}`)).body).toMatchObject({
      limit_usd: 30,
      values: [{ rank: "admin", limit_usd: 30, set_by: null }],
    });
    const raised = await scene.clients.workspace_admin.post<Limit>(LIMITS, {
      ...{ ...body, limit_usd: 50 },
    });
    expect(raised.body.limit_usd).toBe(30);
  });
});

describe("an increase request", () => {
  const REQUESTS = "/v1/admin/spend_limit_increase_requests";

  async function ask(client: Client, scope: object): Promise<string> {
    const body = { scope, amount_usd: 200, reason: "A larger evaluation." };
    const answer = await client.post<{ id: string }>(REQUESTS, body);
    expect(answer.status).toBe(200);
    return answer.body.id;
  }
  const approve = (client: Client, id: string) => client.post(`${REQUESTS}/${id}/approve`, {});
  const refused = {
    status: 403,
    error: { details: { error_code: "increase_needs_another_person" } },
  };

  test("is never approved by the person or key that asked", async ({
    h,
    org,
    workspaceId,
    scene,
  }) => {
    const scope = { type: "workspace", workspace_id: workspaceId };
    const body = { scope, period: "monthly", limit_usd: 100 };
    await org.operator.post("/v1/admin/spend_limits", { ...body, rank: "workspace" });
    const admin = await org.member({ role: "admin" });
    const adminKey = await admin.client.createAdminKey();
    const grandchild = await h.as(adminKey.key).createAdminKey();
    const ownKey = await admin.client.createApiKey(workspaceId, {
      permissions: ["write"],
      owner_member_id: admin.id,
    });
    const madeKey = await admin.client.createApiKey(workspaceId, { permissions: ["admin"] });
    const asOne = [admin.client, ...[adminKey, grandchild, madeKey].map(({ key }) => h.as(key))];
    for (const asker of [...asOne, h.as(ownKey.key)]) {
      const id = await ask(asker, scope);
      for (const approver of asOne) {
        expect(await approve(approver, id)).toMatchObject(refused);
        const seen = await approver.get(`${REQUESTS}/${id}`);
        expect(seen.body).toMatchObject({ can_resolve: false });
      }
      await org.operator.post(`${REQUESTS}/${id}/deny`, {});
    }
    const id = await ask(admin.client, scope);
    expect((await approve(scene.clients.admin, id)).status).toBe(200);
  });

  test("an `admin` key does not approve its own", async ({ org, workspaceId, scene }) => {
    const scope = { type: "workspace", workspace_id: workspaceId };
    await org.admin.post("/v1/admin/spend_limits", { scope, period: "monthly", limit_usd: 100 });
    const id = await ask(scene.clients.api_key, scope);
    expect(await approve(scene.clients.api_key, id)).toMatchObject(refused);
  });

  test("raises values of the approver's rank and below, and is refused below a higher one", async ({
    org,
    workspaceId,
    scene,
  }) => {
    const { clients } = scene;
    const scope = { type: "workspace", workspace_id: workspaceId };
    const body = { scope, period: "monthly" };
    const LIMITS = "/v1/admin/spend_limits";
    await clients.workspace_admin.post(LIMITS, { ...body, limit_usd: 50 });
    await clients.admin.post(LIMITS, { ...body, limit_usd: 90 });
    await clients.owner.post(LIMITS, { ...body, limit_usd: 150 });
    const id = await ask(clients.api_key, scope);
    for (const approver of [clients.workspace_admin, clients.admin]) {
      expect(await approve(approver, id)).toMatchObject({
        status: 403,
        error: { details: { error_code: "limit_set_above" } },
      });
    }
    expect((await approve(clients.owner, id)).status).toBe(200);
    const { body: list } = await org.admin.get<{ data: Limit[] }>(LIMITS);
    expect(list.data).toMatchObject([
      {
        limit_usd: 200,
        values: [
          { rank: "owner", limit_usd: 200 },
          { rank: "admin", limit_usd: 200 },
          { rank: "workspace", limit_usd: 200 },
        ],
      },
    ]);
  });
});

describe("with two people for raises", () => {
  const LIMITS = "/v1/admin/spend_limits";
  const alone = { status: 403, error: { details: { error_code: "raise_needs_two_people" } } };

  test("no caller but the operator raises or removes a spend limit alone", async ({
    org,
    workspaceId,
    scene,
  }) => {
    const { clients } = scene;
    const scope = { type: "workspace", workspace_id: workspaceId };
    const body = { scope, period: "monthly" };
    const strict = { ...body, limit_usd: 100, unknown_features: "refuse", hold: "whole" };
    const { id } = (await org.admin.post<Limit>(LIMITS, strict)).body;
    await org.admin.post("/v1/admin/security_settings", { raises_need_two_people: true });
    for (const client of [clients.owner, clients.admin, clients.admin_key, clients.billing]) {
      expect(await client.post(LIMITS, { ...body, limit_usd: 101, rank: "admin" })).toMatchObject(
        alone,
      );
      expect(await client.remove(`${LIMITS}/${id}`)).toMatchObject(alone);
      for (const weaker of [
        { enforcement: "soft" },
        { unknown_features: "hold" },
        { hold: "steps" },
      ]) {
        const change = { ...strict, rank: "admin", ...weaker };
        expect(await client.post(LIMITS, change)).toMatchObject(alone);
      }
    }
    const asked = await clients.workspace_admin.post<{ id: string }>(
      "/v1/admin/spend_limit_increase_requests",
      { scope, amount_usd: 200, reason: "A larger evaluation." },
    );
    const approval = `/v1/admin/spend_limit_increase_requests/${asked.body.id}/approve`;
    expect((await clients.admin.post(approval, {})).status).toBe(200);
    const lower = await org.admin.post<Limit>(LIMITS, { ...strict, limit_usd: 50 });
    expect(lower.body.limit_usd).toBe(50);
    const byOperator = { ...body, limit_usd: 300, rank: "admin" };
    expect((await org.operator.post<Limit>(LIMITS, byOperator)).body.limit_usd).toBe(300);
    expect((await org.operator.remove(`${LIMITS}/${id}`)).status).toBe(200);
  });
});
