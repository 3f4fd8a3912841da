import type { apiKey, officialApiKey } from "@bursar/contract/admin/api-keys.ts";
import type { spendLimit, workspaceLimit } from "@bursar/contract/admin/spend-limits.ts";
import type { getUsage } from "@bursar/contract/admin/usage.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type {
  Answer,
  Client,
  CreatedApiKey,
  Listed,
  TestMember,
  Workspace,
} from "./harness/admin.ts";
import { serverTest as base } from "./harness/admin-test.ts";
import { auditEventsOf } from "./harness/audit-events.ts";
import { setWorkspaceRole } from "./harness/members.ts";
import { endRecord, recordUsage } from "./harness/usage-records.ts";

// Access of one member to every feature, by its roles. The member is a developer in the first of three workspaces, a
// user in the second, and not in the third.

type ApiKey = z.output<typeof apiKey>;
type SpendLimit = z.output<typeof spendLimit>;
type Report = z.output<(typeof getUsage)["response"]>;

const KEYS = "/v1/admin/api_keys";
const LIMITS = "/v1/admin/spend_limits";
const WORKSPACES = "/v1/admin/workspaces";

const test = base.extend("org", { scope: "file" }, ({ h }) => h.organization());

let first: string;
let second: string;
let third: string;
let keyOfFirst: CreatedApiKey;
let keyOfSecond: CreatedApiKey;
let keyOfThird: CreatedApiKey;
let dev: TestMember;
let outsider: Client;
let billing: Client;
let owner: TestMember;

test.beforeAll(async ({ h, org }) => {
  const make = async () => {
    h.clock.nowMs += 1_000;
    return (await org.admin.createWorkspace()).id;
  };
  [first, second, third] = [await make(), await make(), await make()];
  keyOfFirst = await org.admin.createApiKey(first);
  keyOfSecond = await org.admin.createApiKey(second);
  keyOfThird = await org.admin.createApiKey(third);
  dev = await org.member({
    role: "developer",
    workspaces: { [first]: "workspace_developer", [second]: "workspace_user" },
  });
  outsider = (await org.member({ role: "user" })).client;
  billing = (await org.member({ role: "billing" })).client;
  owner = await org.member({ role: "owner" });
});

async function idsOf(client: Client, url: string): Promise<string[]> {
  const answer = await client.get<Listed<{ id: string }>>(url);
  expect(answer.error.message).toBe("");
  return answer.body.data.map(({ id }) => id);
}

const refusalOf = ({ status, error }: Answer) => [status, error.message];
/** Response text without the request id. */
const textOf = ({ text, headers }: Answer) => text.replaceAll(headers["request-id"] ?? "", "");

describe("workspaces", () => {
  test("lists workspaces in which the member has a role, page by page too", async () => {
    expect(await idsOf(dev.client, WORKSPACES)).toEqual([second, first]);
    const page = await dev.client.get<Listed<Workspace>>(`${WORKSPACES}?limit=1`);
    expect(page.body.data.map(({ id }) => id)).toEqual([second]);
    const next = await idsOf(dev.client, `${WORKSPACES}?limit=1&page=${page.body.next_page}`);
    expect(next).toEqual([first]);
  });

  test("a member of no workspace gets an empty list, and 404 for each", async () => {
    expect(await idsOf(outsider, WORKSPACES)).toEqual([]);
    const hidden = await outsider.get(`${WORKSPACES}/${first}`);
    expect(refusalOf(hidden)).toEqual([404, `Workspace not found: ${first}`]);
  });

  test("owners and billing members see all of them, without being added", async () => {
    for (const client of [owner.client, billing]) {
      expect(await idsOf(client, WORKSPACES)).toEqual(
        expect.arrayContaining([first, second, third]),
      );
    }
  });

  test("a change of a visible one is a 403 that names the role, of a hidden one a 404", async ({
    org,
  }) => {
    const admin = await org.member({
      role: "user",
      workspaces: { [first]: "workspace_admin", [second]: "workspace_user" },
    });
    const rename = (id: string) => admin.client.post(`${WORKSPACES}/${id}`, { description: "x" });
    expect((await rename(first)).status).toBe(200);
    expect(refusalOf(await rename(second))).toEqual([
      403,
      expect.stringMatching(/the role Workspace Admin there, but you are Workspace User there\.$/),
    ]);
    expect(refusalOf(await rename(third))).toEqual([404, `Workspace not found: ${third}`]);
    const archived = await admin.client.post(`${WORKSPACES}/${second}/archive`);
    expect(archived.status).toBe(403);
    const made = await admin.client.post(WORKSPACES, { name: "Mine" });
    expect(refusalOf(made)).toEqual([
      403,
      "This call needs an admin key (sk-ant-admin01-…) or the role Owner or Admin, but you are Member.",
    ]);
  });
});

describe("API keys", () => {
  test("lists keys of workspaces whose keys the member may see", async () => {
    const ids = await idsOf(dev.client, `${KEYS}?limit=1000`);
    expect(ids).toContain(keyOfFirst.id);
    expect(ids).not.toContain(keyOfSecond.id);
    expect(ids).not.toContain(keyOfThird.id);
    expect(await idsOf(owner.client, KEYS)).toEqual(
      expect.arrayContaining([keyOfFirst.id, keyOfSecond.id, keyOfThird.id]),
    );
  });

  test("a filter by workspace is forbidden for a visible one and missing for a hidden one", async () => {
    expect((await dev.client.get(`${KEYS}?workspace_id=${second}`)).status).toBe(403);
    const hidden = await dev.client.get(`${KEYS}?workspace_id=${third}`);
    const missing = await dev.client.get(`${KEYS}?workspace_id=wksp_unknown`);
    expect(hidden.status).toBe(404);
    expect(textOf(hidden).replace(third, "wksp_unknown")).toBe(textOf(missing));
  });

  test("a key of another workspace is missing, to read and to change", async () => {
    const missing = textOf(await dev.client.get(`${KEYS}/apikey_unknown`));
    for (const { id } of [keyOfSecond, keyOfThird]) {
      expect(textOf(await dev.client.get(`${KEYS}/${id}`))).toBe(missing);
      const change = await dev.client.post(`${KEYS}/${id}`, { status: "archived" });
      expect(textOf(change)).toBe(missing);
    }
  });

  test("a developer creates keys, changes its own and only reads the others", async ({
    h,
    org,
  }) => {
    const made = await dev.client.createApiKey(first);
    expect(made.created_by).toEqual({ type: "user", id: dev.id });
    const changed = await dev.client.post<ApiKey>(`${KEYS}/${made.id}`, { status: "inactive" });
    expect(changed.body.status).toBe("inactive");
    expect((await dev.client.get(`${KEYS}/${keyOfFirst.id}`)).status).toBe(200);
    expect(refusalOf(await dev.client.post(`${KEYS}/${keyOfFirst.id}`, { name: "x" }))).toEqual([
      403,
      "Your role in this workspace allows only your own API keys. This key has another owner. Ask a Workspace Admin.",
    ]);
    const colleague = await org.member({ workspaces: { [first]: "workspace_developer" } });
    const theirs = await colleague.client.post(`${KEYS}/${made.id}`, { status: "archived" });
    expect(theirs.status).toBe(403);
    const events = await auditEventsOf(h.deps.database, made.id);
    expect(events.map(({ event, actor_type, actor_id }) => [event, actor_type, actor_id])).toEqual([
      ["api_key.created", "member", dev.id],
      ["api_key.updated", "member", dev.id],
    ]);
  });

  test("the official shape names the member and finds its keys", async ({ h, org }) => {
    const made = await dev.client.createApiKey(first);
    const official = "/v1/organizations/api_keys";
    const shown = await org.admin.get<z.output<typeof officialApiKey>>(`${official}/${made.id}`);
    expect(shown.body.created_by).toEqual({ id: dev.id, type: "user" });
    const byKey = await org.admin.get<z.output<typeof officialApiKey>>(
      `${official}/${keyOfFirst.id}`,
    );
    expect(byKey.body.created_by).toBeNull();
    const found = await idsOf(org.admin, `${official}?created_by_user_id=${dev.id}&limit=1000`);
    expect(found).toContain(made.id);
    expect(found).not.toContain(keyOfFirst.id);
    expect(await idsOf(org.admin, `${official}?created_by_user_id=user_unknown`)).toEqual([]);
    // The id of the admin key that created keys is not a member's.
    const [event] = await auditEventsOf(h.deps.database, keyOfFirst.id);
    expect(await idsOf(org.admin, `${official}?created_by_user_id=${event?.actor_id}`)).toEqual([]);
  });

  test("a workspace user creates no keys, and other workspaces are missing", async () => {
    const here = await dev.client.post(KEYS, { name: "x", workspace_id: second });
    expect(here.status).toBe(403);
    const there = await dev.client.post(KEYS, { name: "x", workspace_id: third });
    expect(refusalOf(there)).toEqual([404, `Workspace not found: ${third}`]);
  });
});

describe("spend limits", () => {
  let ofOrganization: string;
  let ofFirst: string;
  let ofSecond: string;
  let ofKey: string;
  const set = async (client: Client, scope: object) => {
    const body = { scope, period: "monthly", limit_usd: 100 };
    return client.post<SpendLimit>(LIMITS, body);
  };

  test.beforeAll(async ({ org }) => {
    ofOrganization = (await set(billing, { type: "organization" })).body.id;
    ofFirst = (await set(billing, { type: "workspace", workspace_id: first })).body.id;
    ofSecond = (await set(owner.client, { type: "workspace", workspace_id: second })).body.id;
    ofKey = (await set(org.admin, { type: "api_key", api_key_id: keyOfFirst.id })).body.id;
  });

  test("lists limits of workspaces whose limits the member may see, and none of the organization", async () => {
    expect(new Set(await idsOf(dev.client, LIMITS))).toEqual(new Set([ofFirst, ofKey]));
    const all = [ofOrganization, ofFirst, ofSecond, ofKey];
    expect(new Set(await idsOf(billing, LIMITS))).toEqual(new Set(all));
    const missing = textOf(await dev.client.get(`${LIMITS}/spl_unknown`));
    for (const id of [ofOrganization, ofSecond]) {
      expect(textOf(await dev.client.get(`${LIMITS}/${id}`))).toBe(missing);
    }
    expect((await outsider.get(LIMITS)).status).toBe(403);
  });

  test("lists monthly limits too", async () => {
    const list = (client: Client) =>
      client.get<Listed<z.output<typeof workspaceLimit>>>(`${WORKSPACES}/limits?limit=1000`);
    const shown = await list(dev.client);
    expect(shown.body.data.map(({ workspace_id }) => workspace_id)).toEqual([first]);
    const all = (await list(billing)).body.data.map(({ workspace_id }) => workspace_id);
    expect(all).toEqual(expect.arrayContaining([first, second, third]));
    expect((await dev.client.get(`${WORKSPACES}/limits?workspace_id=${third}`)).status).toBe(404);
  });

  test("a workspace admin sets limits of its workspace and keys, and not of the organization", async ({
    org,
  }) => {
    const { client } = await org.member({ workspaces: { [first]: "workspace_admin" } });
    expect((await set(client, { type: "workspace", workspace_id: first })).status).toBe(200);
    expect((await set(client, { type: "api_key", api_key_id: keyOfFirst.id })).status).toBe(200);
    expect(refusalOf(await set(client, { type: "organization" }))).toEqual([
      403,
      "For the whole organization this call needs an admin key (sk-ant-admin01-…) or the role Owner, Admin or Billing, but you are Member.",
    ]);
    expect((await set(client, { type: "workspace", workspace_id: second })).status).toBe(404);
    expect((await set(client, { type: "api_key", api_key_id: keyOfSecond.id })).status).toBe(404);
    expect((await client.remove(`${LIMITS}/${ofOrganization}`)).status).toBe(404);
  });

  test("a member who only sees a limit cannot change it", async ({ org }) => {
    const seer = await org.member({
      workspaces: { [first]: "workspace_developer", [third]: "workspace_admin" },
    });
    expect((await seer.client.remove(`${LIMITS}/${ofFirst}`)).status).toBe(403);
    const key = { type: "api_key", api_key_id: keyOfFirst.id };
    expect((await set(seer.client, key)).status).toBe(403);
    expect(await idsOf(billing, LIMITS)).toContain(ofFirst);
  });
});

describe("usage", () => {
  const DAY = Date.UTC(2026, 10, 19);
  let own: CreatedApiKey;
  let user: TestMember;

  test.beforeAll(async ({ h, org }) => {
    user = await org.member({ workspaces: { [second]: "workspace_developer" } });
    own = await user.client.createApiKey(second);
    // Remains of a developer who became a user: its key and the key's usage.
    await setWorkspaceRole(h.deps, {
      workspaceId: second,
      memberId: user.id,
      role: "workspace_user",
    });
    const of = (requestId: string, key: ApiKey) =>
      endRecord({
        requestId,
        organizationId: org.id,
        workspaceId: key.workspace_id,
        apiKeyId: key.id,
        startedAtMs: DAY,
      });
    await recordUsage(h.deps.database, [
      of("req_1", keyOfFirst),
      of("req_2", keyOfSecond),
      of("req_3", own),
      of("req_4", own),
      of("req_5", keyOfThird),
    ]);
  });

  const report = (client: Client, query = "", bucket = "1d") =>
    client.get<Report>(
      `/v1/admin/usage?starting_at=2026-11-19T00:00:00Z&ending_at=2026-11-20T00:00:00Z&group_by=api_key&bucket=${bucket}${query}`,
    );
  const requestsOf = ({ body }: Answer<Report>) =>
    Object.fromEntries(body.data.map((row) => [row.api_key_id, row.requests]));

  test.each(["1m", "1h", "1d"])(
    "a developer sees its workspace, a user its own keys, billing all, by %s",
    async (bucket) => {
      expect(requestsOf(await report(dev.client, "", bucket))).toEqual({ [keyOfFirst.id]: 1 });
      const shown = await report(user.client, "", bucket);
      expect(requestsOf(shown)).toEqual({ [own.id]: 2 });
      expect(shown.body.totals.requests).toBe(2);
      const all = await report(billing, "", bucket);
      expect(all.body.totals.requests).toBe(5);
      const none = await report(outsider, "", bucket);
      expect([none.body.data, none.body.totals.requests]).toEqual([[], 0]);
    },
  );

  test("filters reveal no more: another's key and a hidden workspace are missing", async () => {
    expect(requestsOf(await report(user.client, `&workspace_id=${second}`))).toEqual({
      [own.id]: 2,
    });
    expect(requestsOf(await report(user.client, `&api_key_id=${own.id}`))).toEqual({
      [own.id]: 2,
    });
    const missing = textOf(await report(user.client, "&api_key_id=apikey_unknown"));
    for (const key of [keyOfFirst, keyOfSecond, keyOfThird]) {
      expect(textOf(await report(user.client, `&api_key_id=${key.id}`))).toBe(missing);
    }
    expect((await report(user.client, `&workspace_id=${third}`)).status).toBe(404);
    expect((await report(user.client, `&workspace_id=${second},${third}`)).status).toBe(404);
  });

  test("a workspace key with read sees all of the workspace", async ({ h, org }) => {
    const { key } = await org.admin.createApiKey(second, { permissions: ["read"] });
    expect((await report(h.as(key))).body.totals.requests).toBe(3);
  });
});

test("a role in another organization's workspace grants nothing", async ({ h, org }) => {
  const other = await h.organization();
  const theirs = await other.admin.createWorkspace();
  // No call can create such a row. If one exists, it must not count.
  const member = await org.member({ workspaces: { [theirs.id]: "workspace_admin" } });
  expect((await member.client.get(`${WORKSPACES}/${theirs.id}`)).status).toBe(404);
  expect(await idsOf(member.client, WORKSPACES)).toEqual([]);
  expect((await member.client.get(KEYS)).status).toBe(403);
});
