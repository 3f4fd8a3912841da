import type { apiKey } from "@bursar/contract/admin/api-keys.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { hashSecret } from "#src/domain/key-format.ts";
import { listAllowedOrigins } from "#src/key-lookup/allowed-origins.sql.ts";
import { makeAllowedOrigins } from "#src/key-lookup/allowed-origins.ts";
import { findApiKeyByHash } from "#src/key-lookup/api-key-lookup.sql.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";

const KEYS = "/v1/admin/api_keys";
const APP = "https://app.example.com";
type ApiKey = z.output<typeof apiKey>;

const test = base.extend("company", ({ h, org, workspaceId }) => {
  const create = async (fields: object) => {
    const settings = { name: "Page", workspace_id: workspaceId, ...fields };
    const made = await org.admin.post<ApiKey & { key: string }>(KEYS, settings);
    return { ...made, path: `${KEYS}/${made.body.id}` };
  };
  const list = (limit = 100) =>
    listAllowedOrigins(h.deps.database, { now: new Date(h.clock.nowMs), limit });
  return { create, list };
});

describe("origins of pages that can use a key", () => {
  test("are none by default, and are set and removed with an audit event", async ({
    h,
    org,
    company,
  }) => {
    const { body, path } = await company.create({});
    expect(body.allowed_origins).toBe(null);
    const changed = await org.admin.post<ApiKey>(path, { allowed_origins: [APP, APP, "*"] });
    expect(changed.body.allowed_origins).toEqual([APP, "*"]);
    const found = await findApiKeyByHash(h.deps.database, h.deps.rows, hashSecret(body.key));
    expect(found).toMatchObject({ allowedOrigins: [APP, "*"], isUnsigned: false });
    const renamed = await org.admin.post<ApiKey>(path, { name: "Renamed" });
    expect(renamed.body.allowed_origins).toEqual([APP, "*"]);
    const removed = await org.admin.post<ApiKey>(path, { allowed_origins: null });
    expect(removed.body.allowed_origins).toBe(null);
    const events = await auditEventsOf(h.deps.database, body.id);
    expect(events.map(({ after }) => after)).toMatchObject([
      { allowed_origins: null },
      { allowed_origins: [APP, "*"] },
      { allowed_origins: [APP, "*"] },
      { allowed_origins: null },
    ]);
  });

  test("are set at the creation of a key too", async ({ company }) => {
    const made = await company.create({ allowed_origins: ["http://localhost:5173"] });
    expect(made.body.allowed_origins).toEqual(["http://localhost:5173"]);
  });

  test.for([
    ["https://app.example.com/"],
    ["https://app.example.com/chat"],
    ["https://app.example.com:443"],
    ["https://APP.example.com"],
    ["https://*.example.com"],
    ["app.example.com"],
    ["null"],
    [""],
    [`https://${"a".repeat(200)}.example`],
  ])("are refused in another form: %s", async ([origin], { company }) => {
    expect(await company.create({ allowed_origins: [origin] })).toMatchObject({
      status: 400,
      body: { error: { details: { fields: [{ path: "allowed_origins.0" }] } } },
    });
  });

  test.for([
    ["http://127.0.0.1:3000"],
    ["http://[::1]:3000"],
    ["https://xn--mnchen-3ya.example"],
    ["chrome-extension://abcdefghijklmnop"],
    ["app://obsidian.md"],
    ["vscode-webview://1a2b"],
  ])("can be those of machines, extensions and apps: %s", async ([origin], { company }) => {
    expect((await company.create({ allowed_origins: [origin] })).status).toBe(200);
  });

  test("are added after a step-up, and removed without one", async ({ h, org, company }) => {
    const { path } = await company.create({ allowed_origins: [APP] });
    const admin = await org.member({ role: "admin", steppedUpAtMs: h.clock.nowMs - 3_600_000 });
    const other = { allowed_origins: [APP, "https://b.example.com"] };
    expect(await admin.client.post(path, other)).toMatchObject({
      status: 403,
      body: { error: { details: { error_code: "step_up_required" } } },
    });
    expect((await admin.client.post(path, { allowed_origins: null })).status).toBe(200);
  });

  test("that were written to the database make the key unsigned", async ({ h, company }) => {
    const { body } = await company.create({});
    await h.deps.database
      .updateTable("api_key")
      .set({ allowed_origins: ["*"] })
      .where("id", "=", body.id)
      .execute();
    const found = await findApiKeyByHash(h.deps.database, h.deps.rows, hashSecret(body.key));
    expect(found?.isUnsigned).toBe(true);
  });
});

describe("the list of all origins", () => {
  test("has those of keys that work", async ({ h, org, company }) => {
    const origin = (name: string) => `https://${name}-${org.id}.example`;
    const active = await company.create({ allowed_origins: [origin("a"), origin("b")] });
    await company.create({ allowed_origins: [origin("b")] });
    const disabled = await company.create({ allowed_origins: [origin("c")] });
    await org.admin.post(disabled.path, { status: "inactive" });
    const expiresAt = new Date(h.clock.nowMs + 60_000).toISOString();
    await company.create({ allowed_origins: [origin("d")], expires_at: expiresAt });
    const own = async () => (await company.list()).filter((each) => each.includes(org.id));
    expect(await own()).toEqual([origin("a"), origin("b"), origin("d")]);
    h.clock.nowMs += 60_000;
    await org.admin.post(active.path, { status: "archived" });
    expect(await own()).toEqual([origin("b")]);
    expect((await company.list(1)).length).toBe(1);
  });

  test("answers from memory, and keeps its content if it cannot be read", async () => {
    let found: string[] | null = [APP];
    const origins = makeAllowedOrigins(async () => {
      if (found === null) throw new Error("no database");
      return found;
    });
    expect(origins.isAllowed(APP)).toBe(false);
    await origins.reload();
    found = null;
    await expect(origins.reload()).rejects.toThrow("no database");
    expect([origins.isAllowed(APP), origins.isAllowed("https://b.example.com")]).toEqual([
      true,
      false,
    ]);
    found = ["*"];
    await origins.reload();
    expect(origins.isAllowed("null")).toBe(true);
  });
});
