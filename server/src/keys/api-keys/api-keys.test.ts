import type { apiKey, officialApiKey } from "@bursar/contract/admin/api-keys.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { checkSecret } from "#src/domain/key-format.ts";
import type { CreatedApiKey, Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";

const COMPANY = "/v1/admin/api_keys";
const OFFICIAL = "/v1/organizations/api_keys";
const DAY_MS = 86_400_000;

type ApiKey = z.output<typeof apiKey>;
type Official = z.output<typeof officialApiKey>;

const test = base
  .extend(
    "list",
    ({ org }) =>
      async (query: string) =>
        (await org.admin.get<Listed<ApiKey>>(COMPANY + query)).body,
  )
  .extend(
    "inADay",
    ({ h }) =>
      () =>
        new Date(h.clock.nowMs + DAY_MS).toISOString(),
  );

const idsOf = (items: { id: string }[]) => items.map(({ id }) => id);

describe("creating", () => {
  test("accepts the documented body and shows the secret once", async ({
    h,
    org,
    workspaceId,
    list,
  }) => {
    const made = await org.admin.post<CreatedApiKey>(COMPANY, {
      name: "Automated Key",
      workspace_id: workspaceId,
      permissions: ["write"],
    });
    expect(made.status).toBe(200);
    const { key, waiting_secret, ...shown } = made.body;
    expect(waiting_secret).toBeNull();
    expect(checkSecret(key)).toEqual({ kind: "api" });
    const hint = `${key.slice(0, 16)}...${key.slice(-4)}`;
    const now = new Date(h.clock.nowMs).toISOString();
    expect(shown).toEqual({
      id: expect.stringMatching(/^apikey_[0-9A-Za-z]{24}$/),
      type: "api_key",
      name: "Automated Key",
      workspace_id: workspaceId,
      owner: { type: "workspace" },
      permissions: ["write"],
      purpose: "calls",
      status: "active",
      stopped_because: null,
      allowed_models: null,
      allowed_addresses: null,
      restrictions: [],
      partial_key_hint: hint,
      contact_member_id: null,
      secrets: [{ partial_key_hint: hint, created_at: now, valid_until: null, last_used: null }],
      last_used: null,
      spent_month_usd: "0.00",
      user_directory_id: null,
      allowed_origins: null,
      requires_user: false,
      tags: {},
      created_by: { type: "admin_key", id: expect.stringMatching(/^adminkey_/) },
      created_at: now,
      expires_at: null,
      archived_at: null,
      rotation: null,
      attention: [],
      monthly_limit_usd: null,
      exceeds_max_lifetime: false,
    });
    const read = await org.admin.get(`${COMPANY}/${shown.id}`);
    expect(read.body).toEqual(shown);
    expect(read.text).not.toContain(key);
    expect((await list("")).data).toEqual([shown]);
  });

  test.for([
    [undefined, "write"],
    [["read"], "read"],
    [["read", "write"], "write"],
    [["admin", "read"], "admin"],
  ] as const)(
    "stores permissions %j as %s",
    async ([permissions, stored], { org, workspaceId }) => {
      const made = await org.admin.createApiKey(workspaceId, permissions && { permissions });
      expect(made.permissions).toEqual([stored]);
    },
  );

  test.for([
    [{ permissions: [] }, "permissions: expected at least 1 item."],
    [{ permissions: ["owner"] }, 'permissions.0: expected one of "read", "write", "admin".'],
    [{ permissions: "write" }, "permissions: expected array, received string."],
    [{ expires_at: "2026-11-20T12:00:00Z" }, "expires_at: expected a time in the future."],
    [{ expires_at: "tomorrow" }, "expires_at: expected an RFC 3339 time"],
    [{ expires_at: "2999-01-01T00:00:00Z" }, "expires_at: expected a time within 100 years."],
    [{ status: "archived" }, "status: there is no such field here."],
    [{ key: "sk-ant-api03-mine" }, "key: there is no such field here."],
    [{ allowed_models: [] }, "allowed_models: expected at least 1 item."],
    [{ allowed_models: ["*"] }, "allowed_models.0: expected a model name"],
    [{ allowed_models: ["claude-*-5"] }, "allowed_models.0: expected a model name"],
    [{ allowed_addresses: [] }, "allowed_addresses: expected at least 1 item."],
    [
      { allowed_addresses: ["10.0.0.0/8", "10.0.0.1/8"] },
      "allowed_addresses.1: expected an address",
    ],
    [{ allowed_addresses: ["localhost"] }, "allowed_addresses.0: expected an address"],
  ] as const)("refuses %j", async ([fields, message], { org, workspaceId }) => {
    const body = { name: "No", workspace_id: workspaceId, ...fields };
    const answer = await org.admin.post(COMPANY, body);
    expect(answer.status).toBe(400);
    expect(answer.error.message).toContain(message);
  });

  test("is refused in an archived workspace", async ({ org, workspaceId }) => {
    await org.admin.post(`/v1/admin/workspaces/${workspaceId}/archive`);
    const answer = await org.admin.post(COMPANY, { name: "No", workspace_id: workspaceId });
    expect([answer.status, answer.error.type]).toEqual([400, "invalid_request_error"]);
  });

  test("creates an audit event that names the key, without secret and hash", async ({
    h,
    org,
    workspaceId,
    inADay,
  }) => {
    const made = await org.admin.createApiKey(workspaceId, { expires_at: inADay() });
    const [event] = await auditEventsOf(h.deps.database, made.id);
    expect(event).toMatchObject({
      event: "api_key.created",
      workspace_id: workspaceId,
      before: null,
      after: {
        name: "Key",
        permission: "write",
        status: "active",
        partial_key_hint: made.partial_key_hint,
        expires_at: made.expires_at,
      },
    });
    expect(JSON.stringify(event)).not.toContain(made.key.slice(20, 40));
  });
});

test("an unknown key is the documented 404", async ({ org }) => {
  const answer = await org.admin.get(`${COMPANY}/apikey_unknown`);
  expect([answer.status, answer.error.message]).toEqual([404, "API key not found"]);
});

describe("changing", () => {
  test("normalizes restrictions, keeps omitted ones and removes those set to null", async ({
    h,
    org,
    workspaceId,
  }) => {
    const made = await org.admin.createApiKey(workspaceId, {
      allowed_models: ["claude-haiku-*", "claude-opus-4-5", "claude-haiku-*"],
      allowed_addresses: ["203.0.113.9", "2001:DB8::/32", "::ffff:10.0.0.0/104", "10.0.0.0/8"],
    });
    expect(made.allowed_models).toEqual(["claude-haiku-*", "claude-opus-4-5"]);
    expect(made.allowed_addresses).toEqual(["203.0.113.9/32", "2001:db8::/32", "10.0.0.0/8"]);
    const url = `${COMPANY}/${made.id}`;
    const renamed = await org.admin.post<ApiKey>(url, { name: "New" });
    expect(renamed.body.allowed_models).toEqual(made.allowed_models);
    const freed = await org.admin.post<ApiKey>(url, { allowed_models: null });
    expect(freed.body.allowed_models).toBeNull();
    expect(freed.body.allowed_addresses).toEqual(made.allowed_addresses);
    const [, , event] = await auditEventsOf(h.deps.database, made.id);
    expect(event).toMatchObject({
      before: { allowed_models: made.allowed_models },
      after: { allowed_models: null },
    });
  });

  test("refuses an expiry in the past, and removes the expiry with null", async ({
    h,
    org,
    workspaceId,
    inADay,
  }) => {
    const made = await org.admin.createApiKey(workspaceId, { expires_at: inADay() });
    const url = `${COMPANY}/${made.id}`;
    const past = await org.admin.post(url, { expires_at: new Date(h.clock.nowMs).toISOString() });
    expect([past.status, past.error.message]).toEqual([
      400,
      "expires_at: expected a time in the future.",
    ]);
    expect((await org.admin.post<ApiKey>(url, { expires_at: null })).body.expires_at).toBeNull();
  });

  test("sets name and status in both shapes, and null keeps a field of the official shape", async ({
    org,
    workspaceId,
  }) => {
    const made = await org.admin.createApiKey(workspaceId);
    const { key: _, waiting_secret: __, ...shown } = made;
    const first = await org.admin.post<ApiKey>(`${COMPANY}/${made.id}`, { name: "Renamed" });
    expect(first.body).toEqual({ ...shown, name: "Renamed" });
    const second = await org.admin.post<Official>(`${OFFICIAL}/${made.id}`, {
      name: null,
      status: "inactive",
    });
    expect(second.body).toMatchObject({ name: "Renamed", status: "inactive" });
  });

  test("refuses changes of an archived key", async ({ h, org, workspaceId }) => {
    const made = await org.admin.createApiKey(workspaceId);
    const url = `${COMPANY}/${made.id}`;
    await org.admin.post(url, { status: "archived" });
    for (const change of [{ status: "active" }, { status: "inactive" }, { name: "New" }]) {
      expect((await org.admin.post(url, change)).status).toBe(400);
    }
    expect((await org.admin.post(url, { status: "archived" })).status).toBe(200);
    expect((await auditEventsOf(h.deps.database, made.id)).map(({ event }) => event)).toEqual([
      "api_key.created",
      "api_key.updated",
    ]);
  });

  test("archives an expired key, and refuses all other changes of it", async ({
    h,
    org,
    workspaceId,
    inADay,
  }) => {
    const made = await org.admin.createApiKey(workspaceId, { expires_at: inADay() });
    const url = `${COMPANY}/${made.id}`;
    expect((await org.admin.post(url, { status: "expired" })).status).toBe(400);
    h.clock.nowMs += DAY_MS;
    expect((await org.admin.get<ApiKey>(url)).body.status).toBe("expired");
    expect((await org.admin.post(url, { status: "inactive" })).status).toBe(400);
    expect((await org.admin.post(url, { name: "New" })).status).toBe(400);
    const archived = await org.admin.post<ApiKey>(url, { status: "archived" });
    expect([archived.status, archived.body.status]).toEqual([200, "archived"]);
  });
});

test("the Admin API refuses a key with allowed addresses from other addresses", async ({
  h,
  org,
  workspaceId,
}) => {
  const fields = { permissions: ["admin"], allowed_addresses: ["203.0.113.0/24"] };
  const { key } = await org.admin.createApiKey(workspaceId, fields);
  const send = (remoteAddress: string) =>
    h.as(key).send({ method: "GET", url: COMPANY, remoteAddress });
  expect((await send("203.0.113.7")).status).toBe(200);
  const refused = await send("198.51.100.1");
  expect([refused.status, refused.error.type]).toEqual([403, "permission_error"]);
  expect(refused.error.message).toContain("cannot be used from 198.51.100.1");
});

describe("listing", () => {
  test("filters by workspace, status and name, and takes % literally", async ({
    h,
    org,
    workspaceId,
    list,
  }) => {
    const elsewhere = (await org.admin.createWorkspace()).id;
    const active = await org.admin.createApiKey(workspaceId, { name: "CI of 100% Team" });
    h.clock.nowMs++;
    const inactive = await org.admin.createApiKey(workspaceId, { name: "Laptop" });
    h.clock.nowMs++;
    const expired = await org.admin.createApiKey(elsewhere, {
      name: "Old CI",
      expires_at: new Date(h.clock.nowMs + 1).toISOString(),
    });
    h.clock.nowMs++;
    await org.admin.post(`${COMPANY}/${inactive.id}`, { status: "inactive" });
    const found = async (query: string) => idsOf((await list(query)).data);
    expect(await found(`?workspace_id=${workspaceId}`)).toEqual([inactive.id, active.id]);
    expect(await found("?status=active")).toEqual([active.id]);
    expect(await found("?status=inactive")).toEqual([inactive.id]);
    expect(await found("?status=expired")).toEqual([expired.id]);
    expect(await found("?status=archived")).toEqual([]);
    expect(await found("?name=ci")).toEqual([expired.id, active.id]);
    expect(await found(`?name=${encodeURIComponent("%")}`)).toEqual([active.id]);
    expect(await found("?name=_")).toEqual([]);
    expect(await found(`?name=ci&workspace_id=${elsewhere}`)).toEqual([expired.id]);
  });

  test("continues from a cursor that is bound to the filters", async ({
    h,
    org,
    workspaceId,
    list,
  }) => {
    const made: string[] = [];
    for (let i = 0; i < 3; i++) {
      h.clock.nowMs++;
      made.unshift((await org.admin.createApiKey(workspaceId)).id);
    }
    const first = await list("?limit=2");
    expect(idsOf(first.data)).toEqual(made.slice(0, 2));
    const second = await list(`?limit=2&page=${first.next_page}`);
    expect([idsOf(second.data), second.next_page]).toEqual([made.slice(2), null]);
    const changed = await org.admin.get(`${COMPANY}?status=active&page=${first.next_page}`);
    expect(changed.status).toBe(400);
  });

  test("the official list pages by ids, filters, and returns the official shape", async ({
    h,
    org,
    workspaceId,
  }) => {
    const first = await org.admin.createApiKey(workspaceId, { name: "First" });
    h.clock.nowMs++;
    const second = await org.admin.createApiKey(workspaceId, { name: "Second" });
    const { body } = await org.admin.get<{ data: Official[]; has_more: boolean; last_id: string }>(
      `${OFFICIAL}?limit=1&workspace_id=${workspaceId}&status=active`,
    );
    expect(body).toEqual({
      data: [
        {
          id: second.id,
          type: "api_key",
          name: "Second",
          status: "active",
          created_at: second.created_at,
          created_by: null,
          expires_at: null,
          partial_key_hint: second.partial_key_hint,
          principal: null,
          scope: { type: "workspace", workspace_id: workspaceId },
          workspace_id: workspaceId,
        },
      ],
      has_more: true,
      first_id: second.id,
      last_id: second.id,
    });
    const next = await org.admin.get<{ data: Official[] }>(`${OFFICIAL}?after_id=${body.last_id}`);
    expect(idsOf(next.body.data)).toEqual([first.id]);
    const byUser = await org.admin.get<{ data: Official[] }>(
      `${OFFICIAL}?created_by_user_id=user_1`,
    );
    expect(byUser.body.data).toEqual([]);
  });

  test("returns the documented 404 for an unknown or foreign workspace", async ({ h, org }) => {
    const theirs = await (await h.organization()).admin.createWorkspace();
    for (const id of ["wksp_unknown", theirs.id]) {
      for (const url of [COMPANY, OFFICIAL]) {
        const answer = await org.admin.get(`${url}?workspace_id=${id}`);
        expect([answer.status, answer.error.message]).toEqual([404, `Workspace not found: ${id}`]);
      }
    }
  });
});

describe("a workspace key", () => {
  test("with the admin permission manages the keys of its workspace only", async ({
    h,
    org,
    workspaceId,
  }) => {
    const elsewhere = (await org.admin.createWorkspace()).id;
    const hidden = await org.admin.createApiKey(elsewhere);
    const { key, id } = await org.admin.createApiKey(workspaceId, { permissions: ["admin"] });
    const caller = h.as(key);
    expect(idsOf((await caller.get<Listed<ApiKey>>(COMPANY)).body.data)).toEqual([id]);
    expect((await caller.get(`${COMPANY}?workspace_id=${elsewhere}`)).status).toBe(404);
    expect((await caller.post(`${COMPANY}/${hidden.id}`, { status: "archived" })).status).toBe(404);
    expect((await caller.get(`${OFFICIAL}?after_id=${hidden.id}`)).status).toBe(400);
    const refused = await caller.post(COMPANY, { name: "No", workspace_id: elsewhere });
    expect([refused.status, refused.error.message]).toEqual([
      404,
      `Workspace not found: ${elsewhere}`,
    ]);
    const made = await caller.createApiKey(workspaceId);
    expect(made.created_by).toEqual({ type: "api_key", id });
  });

  test.for(["read", "write"])(
    "with the %s permission cannot create keys",
    async (permission, { h, org, workspaceId }) => {
      const { key } = await org.admin.createApiKey(workspaceId, { permissions: [permission] });
      const answer = await h.as(key).post(COMPANY, { name: "No", workspace_id: workspaceId });
      expect([answer.status, answer.error.type]).toEqual([403, "permission_error"]);
    },
  );
});
