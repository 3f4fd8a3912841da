import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import { sessionTokenHashes } from "#src/access/session-cookie.ts";
import { makeSecret } from "#src/domain/key-format.ts";
import type { AdminHarness, Client } from "./harness/admin.ts";
import { test as base } from "./harness/admin-test.ts";

// An attacker writes to the database, and does not know BURSAR_SECRET.

const KEYS = "/v1/admin/api_keys";
const codeOf = async (client: Client, path = KEYS) => {
  const answer = await client.get(path);
  return answer.status === 200 ? "accepted" : answer.error.details?.error_code;
};

const test = base.extend("attack", ({ h }) => ({
  run: (statement: ReturnType<typeof sql>) => statement.execute(h.deps.database),
  /** Adds a secret to a key. Returns it. */
  addSecret: async (apiKeyId: string) => {
    const { secret, hash } = makeSecret("api", randomBytes);
    await sql`INSERT INTO api_key_secret (api_key_id, hash, hint, created_at)
      VALUES (${apiKeyId}, ${hash}, 'sk-ant-api03-...', now())`.execute(h.deps.database);
    return secret;
  },
}));

describe("a row that this server did not write", () => {
  test("gives no API key", async ({ h, org, workspaceId, attack }) => {
    await attack.run(
      sql`INSERT INTO api_key (id, organization_id, workspace_id, name, permission, created_by_type, created_by_id)
        VALUES ('apikey_forged', ${org.id}, ${workspaceId}, 'Forged', 'admin', 'member', 'user_1')`,
    );
    const secret = await attack.addSecret("apikey_forged");
    expect(await codeOf(h.as(secret))).toBe("api_key_unsigned");
  });

  test("gives no second secret of a key", async ({ h, org, workspaceId, attack }) => {
    const key = await org.admin.createApiKey(workspaceId, { permissions: ["admin"] });
    await attack.run(
      sql`UPDATE api_key_secret SET valid_until = now() + interval '1 day' WHERE api_key_id = ${key.id}`,
    );
    expect(await codeOf(h.as(await attack.addSecret(key.id)))).toBe("api_key_unsigned");
  });

  test("gives no admin key", async ({ h, org, attack }) => {
    const { secret, hash } = makeSecret("admin", randomBytes);
    await attack.run(
      sql`INSERT INTO admin_key (id, organization_id, name, secret_hash, partial_key_hint, created_by_type, created_by_id)
        VALUES ('adminkey_forged', ${org.id}, 'Forged', ${hash}, '', 'member', 'user_1')`,
    );
    expect(await codeOf(h.as(secret))).toBe("api_key_unsigned");
  });

  test("gives no session", async ({ h, org, attack }) => {
    const owner = await org.member({ role: "owner" });
    const other = await org.member({ role: "user" });
    const [hash = ""] = sessionTokenHashes(other.cookie);
    await attack.run(sql`UPDATE auth_session SET user_id = ${owner.id} WHERE token = ${hash}`);
    expect(await codeOf(other.client, "/v1/admin/members")).toBe("session_expired");
    expect(await codeOf(owner.client, "/v1/admin/members")).toBe("accepted");
    expect(h.logs.join("\n")).toMatch(/"table":"auth_session".*without a valid MAC/);
  });

  test("gives no role in a workspace", async ({ org, workspaceId, attack }) => {
    const member = await org.member({ role: "user" });
    await attack.run(
      sql`INSERT INTO workspace_member (workspace_id, member_id, role)
        VALUES (${workspaceId}, ${member.id}, 'workspace_admin')`,
    );
    expect(await codeOf(member.client, `/v1/admin/workspaces/${workspaceId}`)).toBe(
      "resource_not_found",
    );
  });
});

describe("rules for personal keys that this server did not write", () => {
  const create = (client: Client, workspace_id: string) =>
    client.post("/v1/admin/personal_keys", { name: "Mine", workspace_id });
  const set = (client: Client, workspaceId: string, personal_keys: string) =>
    client.post(`/v1/admin/workspaces/${workspaceId}`, { personal_keys });

  test("open no workspace, and no change through the server makes them genuine", async ({
    org,
    workspaceId,
    attack,
  }) => {
    const { client } = await org.member({ role: "user" });
    await attack.run(
      sql`INSERT INTO personal_key_rules (workspace_id, personal_keys) VALUES (${workspaceId}, 'everyone')`,
    );
    const options = "/v1/admin/personal_key_options";
    expect((await create(client, workspaceId)).status).toBe(404);
    expect((await client.get(options)).body).toMatchObject({ workspaces: [] });
    for (const mode of ["off", "everyone"]) {
      expect((await set(org.admin, workspaceId, mode)).status).toBe(200);
    }
    expect((await create(client, workspaceId)).status).toBe(404);
    await attack.run(sql`DELETE FROM personal_key_rules WHERE workspace_id = ${workspaceId}`);
    expect((await set(org.admin, workspaceId, "everyone")).status).toBe(200);
    expect((await create(client, workspaceId)).status).toBe(200);
  });

  test("are named by the verification", async ({ org, workspaceId, attack }) => {
    await set(org.admin, workspaceId, "members");
    await attack.run(sql`UPDATE personal_key_rules SET personal_keys = 'everyone'`);
    const path = "/v1/admin/audit_log/verification";
    expect((await org.admin.get(path)).body).toMatchObject({
      unexplained: [{ type: "personal_key_rules", id: workspaceId, reason: "unsigned" }],
    });
  });
});

describe("a changed row is refused:", () => {
  const create = async (h: AdminHarness, org: { admin: Client }, workspaceId: string) => {
    const key = await org.admin.createApiKey(workspaceId, { permissions: ["admin"] });
    return { ...key, client: h.as(key.key) };
  };
  for (const [name, change] of Object.entries({
    permission: sql`permission = 'read'`,
    expiry: sql`expires_at = now() + interval '1 day'`,
    models: sql`allowed_models = ARRAY['claude-opus-4-5']`,
    addresses: sql`allowed_addresses = ARRAY['0.0.0.0/0']`,
  })) {
    test(`${name} of an API key`, async ({ h, org, workspaceId, attack }) => {
      const key = await create(h, org, workspaceId);
      expect(await codeOf(key.client)).toBe("accepted");
      await attack.run(sql`UPDATE api_key SET ${change} WHERE id = ${key.id}`);
      expect(await codeOf(key.client)).toBe("api_key_unsigned");
    });
  }

  test("status of an API key that was disabled", async ({ h, org, workspaceId, attack }) => {
    const key = await create(h, org, workspaceId);
    await org.admin.post(`${KEYS}/${key.id}`, { status: "inactive" });
    await attack.run(sql`UPDATE api_key SET status = 'active' WHERE id = ${key.id}`);
    expect(await codeOf(key.client)).toBe("api_key_unsigned");
  });

  test("end of a rotated secret", async ({ h, org, workspaceId, attack }) => {
    const key = await create(h, org, workspaceId);
    await org.admin.post(`${KEYS}/${key.id}/rotate`, { grace_period_seconds: 0 });
    await attack.run(
      sql`UPDATE api_key_secret SET valid_until = now() + interval '90 days'
        WHERE api_key_id = ${key.id} AND valid_until IS NOT NULL`,
    );
    expect(await codeOf(key.client)).toBe("api_key_unsigned");
  });

  test("status of a revoked admin key", async ({ h, org, attack }) => {
    const key = await org.admin.createAdminKey();
    await org.admin.post(`/v1/admin/admin_keys/${key.id}/revoke`);
    await attack.run(sql`UPDATE admin_key SET status = 'active' WHERE id = ${key.id}`);
    expect(await codeOf(h.as(key.key))).toBe("api_key_unsigned");
  });

  test("role of a member", async ({ org, attack }) => {
    const member = await org.member({ role: "user" });
    await attack.run(sql`UPDATE member SET role = 'owner' WHERE id = ${member.id}`);
    expect(await codeOf(member.client, "/v1/admin/members")).toBe("session_expired");
  });

  test("role of a key's owner", async ({ h, org, workspaceId, attack }) => {
    const member = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
    const { body } = await member.client.post<{ key: string }>(KEYS, {
      ...{ workspace_id: workspaceId, name: "Own", permissions: ["write"] },
    });
    expect(await codeOf(h.as(body.key), `${KEYS}`)).not.toBe("api_key_unsigned");
    await attack.run(
      sql`UPDATE workspace_member SET role = 'workspace_admin' WHERE member_id = ${member.id}`,
    );
    expect(await codeOf(h.as(body.key))).toBe("api_key_unsigned");
  });

  test("time of a step-up", async ({ org, attack }) => {
    const member = await org.member({ role: "owner", steppedUpAtMs: null });
    await attack.run(
      sql`UPDATE auth_session SET stepped_up_at = now() WHERE user_id = ${member.id}`,
    );
    expect(await codeOf(member.client, "/v1/admin/members")).toBe("session_expired");
  });
});

test("a change through the server does not sign a forged value", async ({
  h,
  org,
  workspaceId,
  attack,
}) => {
  const key = await org.admin.createApiKey(workspaceId, { permissions: ["read"] });
  await attack.run(sql`UPDATE api_key SET permission = 'admin' WHERE id = ${key.id}`);
  for (const status of ["inactive", "active"]) {
    expect((await org.admin.post(`${KEYS}/${key.id}`, { status })).status).toBe(200);
  }
  expect(await codeOf(h.as(key.key))).toBe("api_key_unsigned");
  await attack.run(sql`UPDATE api_key SET permission = 'read' WHERE id = ${key.id}`);
  expect(await codeOf(h.as(key.key))).not.toBe("api_key_unsigned");
});

test("a transaction signs no change that another one recorded", async ({
  h,
  org,
  workspaceId,
  apiKeyId,
  attack,
}) => {
  await attack.run(
    sql`INSERT INTO api_key (id, organization_id, workspace_id, name, permission, created_by_type, created_by_id)
      VALUES ('apikey_recorded', ${org.id}, ${workspaceId}, 'Forged', 'admin', 'member', 'user_1')`,
  );
  const secret = await attack.addSecret("apikey_recorded");
  // The attacker guesses the numbers of the next transactions.
  await attack.run(
    sql`INSERT INTO row_change (xact, table_name, new_row)
      SELECT (pg_current_xact_id()::text::bigint + step)::text::xid8, change.table_name, change.new_row
      FROM row_change AS change, generate_series(1, 50) AS step`,
  );
  expect((await org.admin.post(`${KEYS}/${apiKeyId}`, { name: "Renamed" })).status).toBe(200);
  expect((await org.admin.post(`${KEYS}/${apiKeyId}`, { status: "inactive" })).status).toBe(200);
  expect(await codeOf(h.as(secret))).toBe("api_key_unsigned");
});

describe("the verification of the log", () => {
  interface Unexplained {
    type: string;
    id: string;
    reason: string;
    logged: string | null;
    stored: string | null;
  }
  const verify = async (client: Client) => {
    const { body } = await client.get<{ is_intact: boolean; unexplained: Unexplained[] }>(
      "/v1/admin/audit_log/verification",
    );
    expect(body.is_intact).toBe(true);
    return body.unexplained;
  };

  test("explains changes through the server", async ({ org, workspaceId }) => {
    const key = await org.admin.createApiKey(workspaceId);
    await org.admin.post(`${KEYS}/${key.id}`, { status: "inactive", allowed_models: ["m"] });
    await org.admin.post(`${KEYS}/${key.id}/rotate`, {});
    const adminKey = await org.admin.createAdminKey();
    await org.admin.post(`/v1/admin/admin_keys/${adminKey.id}/revoke`);
    const scope = { type: "workspace", workspace_id: workspaceId };
    for (const limit_usd of ["50.00", "7.5"]) {
      const limit = { scope, period: "monthly", limit_usd };
      expect((await org.admin.post("/v1/admin/spend_limits", limit)).status).toBe(200);
    }
    const rate = { scope, model_group: "all", requests_per_minute: 60 };
    expect((await org.admin.post("/v1/admin/rate_limits", rate)).status).toBe(200);
    expect(await verify(org.admin)).toEqual([]);
    await org.admin.post(`/v1/admin/workspaces/${workspaceId}/archive`);
    expect(await verify(org.admin)).toEqual([]);
  });

  test("explains the roles of members", async ({ org, workspaceId }) => {
    const member = await org.member({ role: "user" });
    await org.admin.post(`/v1/admin/members/${member.id}`, { role: "developer" });
    await org.admin.post(`/v1/admin/workspaces/${workspaceId}/members`, {
      ...{ member_id: member.id, workspace_role: "workspace_user" },
    });
    expect(await verify(org.admin)).toEqual([]);
    await org.admin.post(`/v1/admin/members/${member.id}/deactivate`);
    await org.admin.post(`/v1/admin/members/${member.id}/reactivate`);
    expect(await verify(org.admin)).toEqual([]);
  });

  test("names a key, a role and a limit that were written without the server", async ({
    org,
    workspaceId,
    attack,
  }) => {
    await attack.run(
      sql`INSERT INTO api_key (id, organization_id, workspace_id, name, permission, created_by_type, created_by_id)
        VALUES ('apikey_unlogged', ${org.id}, ${workspaceId}, 'Forged', 'admin', 'member', 'user_1')`,
    );
    const member = await org.member({ role: "user" });
    await org.admin.post(`/v1/admin/members/${member.id}`, { role: "developer" });
    await attack.run(sql`UPDATE member SET role = 'owner' WHERE id = ${member.id}`);
    const scope = { type: "workspace", workspace_id: workspaceId };
    const limit = { scope, period: "monthly", limit_usd: "50.00" };
    const { body } = await org.admin.post<{ id: string }>("/v1/admin/spend_limits", limit);
    await attack.run(sql`UPDATE spend_limit SET amount_nano_usd = 9e15 WHERE id = ${body.id}`);
    const found = await verify(org.admin);
    expect(found).toMatchObject([
      { type: "api_key", id: "apikey_unlogged", reason: "unsigned" },
      { type: "member", id: member.id, reason: "unsigned" },
      { type: "api_key", id: "apikey_unlogged", reason: "unlogged" },
      { type: "member", id: member.id, reason: "role", logged: "developer", stored: "owner" },
      { type: "spend_limit", id: body.id, reason: "amount", logged: "50.00" },
    ]);
  });

  test("names a revoked key that was put back with its older signature", async ({
    h,
    org,
    attack,
  }) => {
    const key = await org.admin.createAdminKey();
    await attack.run(sql`CREATE TABLE saved AS SELECT * FROM admin_key WHERE id = ${key.id}`);
    await org.admin.post(`/v1/admin/admin_keys/${key.id}/revoke`);
    await attack.run(
      sql`UPDATE admin_key SET status = saved.status, mac = saved.mac FROM saved WHERE saved.id = admin_key.id`,
    );
    expect(await codeOf(h.as(key.key), "/v1/admin/admin_keys")).toBe("accepted");
    expect(await verify(org.admin)).toMatchObject([
      { type: "admin_key", id: key.id, reason: "status", logged: "revoked", stored: "active" },
    ]);
  });
});
