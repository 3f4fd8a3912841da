import type { apiKey } from "@bursar/contract/admin/api-keys.ts";
import { findRank, includesRank, type RankedCaller } from "@bursar/contract/permissions.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { AdminHarness, Client, TestOrganization } from "./harness/admin.ts";
import { test as base } from "./harness/admin-test.ts";

// Every restriction of a key, set and undone by each pair of callers. A lower rank does not undo a higher one. A higher rank
// can undo a lower one, and each rank its own. The contract's table says which rank a caller has.

const KEYS = "/v1/admin/api_keys";
type ApiKey = z.output<typeof apiKey>;

/** Callers that can change a personal key. `workspace_developer` is its owner. */
const changers = [
  "local_operator",
  "owner",
  "admin",
  "admin_key",
  "workspace_admin",
  "api_key",
  "workspace_developer",
] as const satisfies readonly RankedCaller[];
type Changer = (typeof changers)[number];

interface Restriction {
  set: object;
  undo: object;
  isInForce: (key: ApiKey) => boolean;
}

const restrictions: Record<string, Restriction> = {
  disabled: {
    set: { status: "inactive" },
    undo: { status: "active" },
    isInForce: ({ status }) => status === "inactive",
  },
  models: {
    set: { allowed_models: ["claude-haiku-*"] },
    undo: { allowed_models: null },
    isInForce: ({ allowed_models }) => allowed_models?.join() === "claude-haiku-*",
  },
  addresses: {
    set: { allowed_addresses: ["10.0.0.0/8"] },
    undo: { allowed_addresses: null },
    isInForce: ({ allowed_addresses }) => allowed_addresses?.join() === "10.0.0.0/8",
  },
  expiry: {
    set: { expires_at: "2027-01-01T00:00:00.000Z" },
    undo: { expires_at: null },
    isInForce: ({ expires_at }) => expires_at === "2027-01-01T00:00:00.000Z",
  },
};

interface Scene {
  clients: Record<Changer, Client>;
  /** Creates a key of the developer without restrictions. */
  createKey: () => Promise<string>;
}

async function makeScene(
  h: AdminHarness,
  org: TestOrganization,
  workspaceId: string,
): Promise<Scene> {
  const memberOf = async (role: "workspace_admin" | "workspace_developer") =>
    await org.member({ workspaces: { [workspaceId]: role } });
  const developer = await memberOf("workspace_developer");
  const adminApiKey = await org.admin.createApiKey(workspaceId, { permissions: ["admin"] });
  return {
    clients: {
      local_operator: org.operator,
      owner: (await org.member({ role: "owner" })).client,
      admin: (await org.member({ role: "admin" })).client,
      admin_key: org.admin,
      workspace_admin: (await memberOf("workspace_admin")).client,
      api_key: h.as(adminApiKey.key),
      workspace_developer: developer.client,
    },
    createKey: async () =>
      (await org.operator.createApiKey(workspaceId, { owner_member_id: developer.id })).id,
  };
}

const test = base.extend("scene", ({ h, org, workspaceId }) => makeScene(h, org, workspaceId));

describe.for(Object.entries(restrictions))("%s", ([, { set, undo, isInForce }]) => {
  test.for(changers)("set by %s", async (setter, { org, scene }) => {
    const { clients, createKey } = scene;
    const rank = findRank(setter, "keys");
    for (const undoer of changers) {
      const url = `${KEYS}/${await createKey()}`;
      const read = async () => (await org.operator.get<ApiKey>(url)).body;
      const made = await clients[setter].post<ApiKey>(url, set);
      expect([undoer, made.status]).toEqual([undoer, 200]);
      expect(made.body.restrictions).toMatchObject([{ rank }]);
      expect(isInForce(made.body)).toBe(true);

      const undoerRank = findRank(undoer, "keys");
      const plain = await clients[undoer].post(url, undo);
      if (undoerRank === rank) {
        expect([undoer, plain.status]).toEqual([undoer, 200]);
        expect(isInForce(await read())).toBe(false);
        continue;
      }
      const isAllowed = includesRank(undoerRank, rank);
      const code = isAllowed ? "restricted_by_lower_rank" : "restricted_by_higher_rank";
      expect([undoer, plain.status]).toEqual([undoer, isAllowed ? 409 : 403]);
      expect(plain.error.details).toMatchObject({ error_code: code, restriction: { rank } });
      expect(isInForce(await read())).toBe(true);
      const named = await clients[undoer].post(url, { ...undo, rank });
      expect([undoer, named.status]).toEqual([undoer, isAllowed ? 200 : 403]);
      expect([undoer, isInForce(await read())]).toEqual([undoer, !isAllowed]);
    }
  });

  test("a lower rank adds its own value, and the strictest stays in force", async ({ scene }) => {
    const { clients, createKey } = scene;
    const url = `${KEYS}/${await createKey()}`;
    await clients.admin.post(url, set);
    await clients.workspace_developer.post(url, {
      status: "inactive",
      allowed_models: ["claude-*"],
      allowed_addresses: ["0.0.0.0/0"],
      expires_at: "2028-01-01T00:00:00Z",
    });
    const removed = await clients.workspace_developer.post<ApiKey>(url, {
      ...("status" in set ? {} : { status: "active" }),
      allowed_models: null,
      allowed_addresses: null,
      expires_at: null,
    });
    if (!("status" in set)) expect(removed.status).toBe(200);
    const { body } = await clients.admin.get<ApiKey>(url);
    expect(isInForce(body)).toBe(true);
  });
});

test("the official route enables a key that the caller's rank or a lower one disabled", async ({
  org,
  scene,
}) => {
  const { clients, createKey } = scene;
  const id = await createKey();
  const official = `/v1/organizations/api_keys/${id}`;
  await clients.workspace_developer.post(`${KEYS}/${id}`, { status: "inactive" });
  await clients.workspace_admin.post(`${KEYS}/${id}`, { status: "inactive" });
  const enabled = await org.admin.post<{ status: string }>(official, { status: "active" });
  expect([enabled.status, enabled.body.status]).toEqual([200, "active"]);
  await clients.owner.post(`${KEYS}/${id}`, { status: "inactive" });
  const refused = await org.admin.post(official, { status: "active" });
  expect([refused.status, refused.error.details?.error_code]).toEqual([
    403,
    "restricted_by_higher_rank",
  ]);
});

test("a higher rank enables a key that several lower ranks disabled, one after the other", async ({
  scene,
}) => {
  const { clients, createKey } = scene;
  const url = `${KEYS}/${await createKey()}`;
  await clients.workspace_developer.post(url, { status: "inactive" });
  await clients.workspace_admin.post(url, { status: "inactive" });
  const first = await clients.admin.post<ApiKey>(url, { status: "active", rank: "workspace" });
  expect(first.body).toMatchObject({
    status: "inactive",
    stopped_because: "disabled_by_holder",
  });
  const again = await clients.admin.post(url, { status: "active", rank: "workspace" });
  expect([again.status, again.error.details?.error_code]).toEqual([
    409,
    "restricted_by_lower_rank",
  ]);
  const second = await clients.admin.post<ApiKey>(url, { status: "active", rank: "holder" });
  expect(second.body.status).toBe("active");
});

test("every rank can revoke a key, and none can revive it", async ({ org, scene }) => {
  const { clients, createKey } = scene;
  for (const caller of changers) {
    const url = `${KEYS}/${await createKey()}`;
    await org.operator.post(url, { status: "inactive" });
    const archived = await clients[caller].post<ApiKey>(url, { status: "archived" });
    expect([caller, archived.status, archived.body.status]).toEqual([caller, 200, "archived"]);
    expect((await org.operator.post(url, { status: "active" })).status).toBe(400);
  }
});

test("a key names the highest rank that disabled it", async ({ scene }) => {
  const { clients, createKey } = scene;
  const url = `${KEYS}/${await createKey()}`;
  await clients.workspace_developer.post(url, { status: "inactive" });
  await clients.admin.post(url, { status: "inactive" });
  const { body } = await clients.workspace_developer.get<ApiKey>(url);
  expect(body).toMatchObject({ status: "inactive", stopped_because: "disabled_by_admin" });
  expect(body.restrictions.map(({ rank, set_by }) => [rank, set_by.type])).toEqual([
    ["admin", "user"],
    ["holder", "user"],
  ]);
});
