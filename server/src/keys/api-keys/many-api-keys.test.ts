import type { apiKey } from "@bursar/contract/admin/api-keys.ts";
import {
  type archiveApiKeys,
  type createApiKeys,
  MAX_KEYS_AT_ONCE,
} from "@bursar/contract/admin/many-api-keys.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { checkSecret, hashSecret } from "#src/domain/key-format.ts";
import { findApiKeyByHash } from "#src/key-lookup/api-key-lookup.sql.ts";
import { type Client, type Listed, PUBLIC_URL } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf, watchEvents } from "#test/harness/audit-events.ts";

type ApiKey = z.output<typeof apiKey>;
type Created = z.output<(typeof createApiKeys)["response"]>;
type Stopped = z.output<(typeof archiveApiKeys)["response"]>;

const KEYS = "/v1/admin/api_keys";
const DAY_MS = 86_400_000;
const SECRET = /sk-ant-api03-\w{20,}/;

const test = base
  .extend(
    "create",
    ({ org, workspaceId }) =>
      (fields: object, client: Client = org.admin) =>
        client.post<Created>(`${KEYS}/create`, { workspace_id: workspaceId, ...fields }),
  )
  .extend(
    "stop",
    ({ org }) =>
      (action: "disable" | "archive", ids: string[], client: Client = org.admin) =>
        client.post<Stopped>(`${KEYS}/${action}`, { ids }),
  )
  .extend("statuses", ({ org }) => async () => {
    const { body } = await org.admin.get<Listed<ApiKey>>(`${KEYS}?limit=1000`);
    return Object.fromEntries(body.data.map(({ name, status }) => [name, status]));
  });

describe("creating many keys", () => {
  test("creates each named key with the same settings, its own secret and its own event", async ({
    h,
    org,
    workspaceId,
    create,
  }) => {
    const expires_at = new Date(h.clock.nowMs + 30 * DAY_MS).toISOString();
    const settings = {
      permissions: ["read"],
      expires_at,
      allowed_models: ["claude-haiku-4-5"],
      allowed_addresses: ["10.0.0.0/8"],
      tags: { team: "search" },
    };
    const { body } = await create({ names: ["first", "second"], ...settings });
    expect(body).toMatchObject({ type: "created_api_keys", workspace_id: workspaceId, expires_at });
    expect(body.data.map(({ name }) => name)).toEqual(["first", "second"]);
    for (const { id, name, key, partial_key_hint } of body.data) {
      expect(checkSecret(key ?? "")).toEqual({ kind: "api" });
      const found = await findApiKeyByHash(h.deps.database, h.deps.rows, hashSecret(key ?? ""));
      expect(found).toMatchObject({ id, isUnsigned: false });
      const read = await org.admin.get<ApiKey>(`${KEYS}/${id}`);
      expect(read.body).toMatchObject({ name, partial_key_hint, ...settings });
      expect(read.text).not.toContain(key);
      const events = await auditEventsOf(h.deps.database, id);
      expect(events.map(({ event }) => event)).toEqual(["api_key.created"]);
    }
    expect(new Set(body.data.map(({ key }) => key)).size).toBe(2);
  });

  test("lets the secrets of another member's keys wait, and sends that member one message", async ({
    org,
    workspaceId,
    create,
  }) => {
    const ada = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
    const made = await create({ name_prefix: "hers-", count: 12, owner_member_id: ada.id });
    expect(made.text).not.toMatch(SECRET);
    const listed = await ada.client.get<Listed<{ id: string; api_key_id: string }>>(
      "/v1/admin/waiting_secrets",
    );
    const ofKeys = ({ id, waiting_secret }: Created["data"][number]) => [id, waiting_secret?.id];
    expect(listed.body.data.map(({ id, api_key_id }) => [api_key_id, id]).sort()).toEqual(
      made.body.data.map(ofKeys).sort(),
    );
    const path = `/v1/admin/waiting_secrets/${listed.body.data[0]?.id}/reveal`;
    expect((await ada.client.post(path)).text).toMatch(SECRET);
    const mail =
      await org.admin.get<Listed<{ id: string; to: string; subject: string }>>("/v1/admin/mail");
    expect(mail.body.data.map(({ to, subject }) => [to, subject])).toEqual([
      [ada.email, "12 API keys were created for you"],
    ]);
    const { text } = await org.admin.get(`/v1/admin/mail/${mail.body.data[0]?.id}`);
    expect(text).toContain("hers-01, hers-02");
    expect(text).toContain("and 2 more");
    expect(text).toContain(`${PUBLIC_URL}/account`);

    const own = await create({ names: ["own"], owner_member_id: ada.id }, ada.client);
    expect(own.text).toMatch(SECRET);
  });

  test("creates keys of a gateway with the directory of its users", async ({ org, create }) => {
    const directory = await org.operator.post<{ id: string }>("/v1/admin/directories", {
      ...{ name: "Okta", issuer: "https://okta.example", client_id: "bursar" },
      ...{ client_secret: "secret", is_enabled: true, allowed_domains: ["acme.example"] },
    });
    const users = { user_directory_id: directory.body.id, requires_user: false };
    const { body } = await create({ names: ["gateway-1", "gateway-2"], ...users });
    for (const { id } of body.data) {
      expect((await org.admin.get<ApiKey>(`${KEYS}/${id}`)).body).toMatchObject(users);
    }
  });

  test("numbers keys with equal digits behind a prefix", async ({ create }) => {
    const { body } = await create({ name_prefix: "ci-", count: 10 });
    const names = body.data.map(({ name }) => name);
    expect([names.length, names[0], names.at(-1)]).toEqual([10, "ci-01", "ci-10"]);
  });

  test("creates the highest number at once, and archives it at once", async ({
    create,
    stop,
    statuses,
  }) => {
    const { body } = await create({ name_prefix: "k", count: MAX_KEYS_AT_ONCE });
    const ids = body.data.map(({ id }) => id);
    expect(new Set(ids).size).toBe(MAX_KEYS_AT_ONCE);
    expect((await stop("archive", ids)).body.changed).toBe(MAX_KEYS_AT_ONCE);
    expect(new Set(Object.values(await statuses()))).toEqual(new Set(["archived"]));
  });

  test("returns the same secrets for a repeated request with the same idempotency key", async ({
    org,
    workspaceId,
  }) => {
    const send = () =>
      org.admin.send<Created>({
        method: "POST",
        url: `${KEYS}/create`,
        headers: { "idempotency-key": "a-key-of-this-test" },
        payload: { workspace_id: workspaceId, name_prefix: "once-", count: 3 },
      });
    const first = await send();
    expect(first.status).toBe(200);
    expect((await send()).body).toEqual(first.body);
    const { body } = await org.admin.get<Listed<ApiKey>>(`${KEYS}?name=once-`);
    expect(body.data.length).toBe(3);
  });

  test("refuses names that do not go together, and names the field", async ({ create }) => {
    const refusals = [
      [{}, "name_prefix"],
      [{ name_prefix: "a" }, "count"],
      [{ count: 2 }, "name_prefix"],
      [{ names: ["a"], count: 1 }, "names"],
      [{ names: ["a", "b", "a"] }, "names.2"],
      [{ name_prefix: "a", count: MAX_KEYS_AT_ONCE + 1 }, "count"],
    ] as const;
    for (const [fields, path] of refusals) {
      const { status, error } = await create(fields);
      expect([status, error.details?.fields?.map((field) => field.path)]).toEqual([400, [path]]);
    }
  });

  test("refuses more permission than the caller has, and creates none", async ({
    org,
    workspaceId,
    create,
    statuses,
  }) => {
    const user = await org.member({ workspaces: { [workspaceId]: "workspace_user" } });
    expect((await create({ names: ["a"] }, user.client)).status).toBe(403);
    const developer = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
    const wide = { names: ["b"], permissions: ["admin"] };
    expect((await create(wide, developer.client)).status).toBe(403);
    expect(await statuses()).toEqual({});
  });
});

describe("stopping many keys", () => {
  test("disables keys with one event for each changed key", async ({ h, org, create, stop }) => {
    const { data } = (await create({ names: ["a", "b", "c"] })).body;
    const [a, b, c] = data.map(({ id }) => id) as [string, string, string];
    await org.admin.post(`${KEYS}/${b}`, { status: "inactive" });
    const events = await watchEvents(h.deps.database, org.id);
    const { body } = await stop("disable", [a, b, c, a]);
    expect(body.changed).toBe(2);
    expect(body.data.map(({ id, status }) => [id, status])).toEqual([
      [a, "inactive"],
      [b, "inactive"],
      [c, "inactive"],
    ]);
    expect(await events()).toMatchObject([
      { event: "api_key.updated", before: { status: "active" }, after: { status: "inactive" } },
      { event: "api_key.updated", before: { status: "active" }, after: { status: "inactive" } },
    ]);
    const read = await org.admin.get<ApiKey>(`${KEYS}/${a}`);
    expect(read.body).toMatchObject({
      stopped_because: "disabled_by_admin",
      restrictions: [{ rank: "admin", is_disabled: true }],
    });
    expect((await org.admin.post(`${KEYS}/${a}`, { status: "active" })).status).toBe(200);
  });

  test("writes the same key and event as the change of one key", async ({
    h,
    org,
    create,
    stop,
  }) => {
    const { data } = (await create({ names: ["one", "many"], expires_at: null })).body;
    const [one, many] = data.map(({ id }) => id) as [string, string];
    await org.admin.post(`${KEYS}/${one}`, { status: "archived" });
    await stop("archive", [many]);
    const read = async (id: string) => {
      const {
        id: _,
        name: __,
        partial_key_hint: ___,
        secrets: ____,
        ...rest
      } = (await org.admin.get<ApiKey>(`${KEYS}/${id}`)).body;
      return rest;
    };
    expect(await read(many)).toEqual(await read(one));
    const eventOf = async (id: string, name: string) => {
      const event = (await auditEventsOf(h.deps.database, id)).at(-1);
      const text = JSON.stringify(event).replaceAll(`"${name}"`, '"name"');
      return text.replaceAll(/"partial_key_hint":"[^"]+"/g, "");
    };
    expect(await eventOf(many, "many")).toBe(await eventOf(one, "one"));
  });

  test("changes none of the keys if one cannot change, and names each such key", async ({
    h,
    org,
    create,
    stop,
    statuses,
  }) => {
    const expires_at = new Date(h.clock.nowMs + DAY_MS).toISOString();
    const [expiring] = (await create({ names: ["expiring"], expires_at })).body.data;
    const { data } = (await create({ names: ["a", "archived"] })).body;
    const [a, archived] = data.map(({ id }) => id) as [string, string];
    await org.admin.post(`${KEYS}/${archived}`, { status: "archived" });
    h.clock.nowMs += 2 * DAY_MS;
    const ids = [a, archived, expiring?.id ?? ""];
    const { status, error } = await stop("disable", ids);
    expect([status, error.details?.error_code]).toEqual([400, "resource_archived"]);
    expect(error.details?.fields?.map(({ path }) => path)).toEqual(["ids.1", "ids.2"]);
    expect(error.message).toMatch(/^2 keys cannot be changed, so none was\./);
    expect(await statuses()).toEqual({ a: "active", archived: "archived", expiring: "expired" });
    expect((await stop("archive", ids)).body.changed).toBe(2);
  });

  test("hides keys of other organizations, and checks the right for each key", async ({
    h,
    org,
    workspaceId,
    stop,
  }) => {
    const other = await h.organization();
    const foreign = await other.operator.createApiKey((await other.operator.createWorkspace()).id);
    const unknown = foreign.id.replace(/.$/, (last) => (last === "a" ? "b" : "a"));
    const shared = await org.operator.createApiKey(workspaceId, { name: "shared" });
    const developer = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
    const own = await developer.client.createApiKey(workspaceId, { name: "own" });

    const hidden = await stop("archive", [own.id, foreign.id], developer.client);
    const missing = await stop("archive", [own.id, unknown], developer.client);
    expect(hidden.status).toBe(404);
    expect(hidden.error.message).toBe(missing.error.message);
    const denied = await stop("archive", [own.id, shared.id], developer.client);
    expect([denied.status, denied.error.details?.fields?.map(({ path }) => path)]).toEqual([
      403,
      ["ids.1"],
    ]);
    expect((await stop("archive", [own.id], developer.client)).body.changed).toBe(1);
  });
});
