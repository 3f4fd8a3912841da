// Oldest PostgreSQL: schema
import pg from "pg";
import { expect, test } from "vitest";
import { createEmptyDatabase } from "#test/harness/database.ts";
import { planForValues } from "#test/harness/prepare-statements.ts";
import { migrate } from "./migrate.ts";
import { readMigrations } from "./migration-files.ts";

planForValues();

const KEY_RESTRICTIONS = 38;
const ORGANIZATION = "6f1f7c0e-0d3c-4a51-9d3e-2a6f3a6f3a6f";

test("gives each restriction of an earlier version the rank of the caller who set it last", async () => {
  const { database, connectionString, drop } = await createEmptyDatabase();
  const migrations = await readMigrations();
  const before = migrations.filter(({ number }) => number < KEY_RESTRICTIONS);
  await migrate({ connectionString, migrations: before });
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(`
    INSERT INTO organization (id, name) VALUES ('${ORGANIZATION}', 'Test');
    INSERT INTO workspace (id, organization_id, name, display_color)
      SELECT 'wksp_1', id, 'One', '#000000' FROM organization;
    INSERT INTO member (id, organization_id, email, name, role)
      VALUES ('user_admin', '${ORGANIZATION}', 'a@example.com', 'Ada', 'admin'),
        ('user_owner', '${ORGANIZATION}', 'o@example.com', 'Olga', 'developer'),
        ('user_other', '${ORGANIZATION}', 'w@example.com', 'Will', 'developer');
    INSERT INTO security_settings (organization_id, max_key_lifetime_days) VALUES ('${ORGANIZATION}', 90)`);
  const insertKey = async (id: string, values: object) => {
    const row = {
      ...{
        id,
        organization_id: ORGANIZATION,
        workspace_id: "wksp_1",
        name: id,
        permission: "write",
      },
      ...{ created_by_type: "member", created_by_id: "user_owner", owner_member_id: "user_owner" },
      ...values,
    };
    const names = Object.keys(row);
    const places = names.map((_, index) => `$${index + 1}`);
    await client.query(
      `INSERT INTO api_key (${names.join(", ")}) VALUES (${places.join(", ")})`,
      Object.values(row),
    );
  };
  let seq = 0;
  const insertEvent = async (keyId: string, actor: readonly [string, string], change: object) => {
    seq += 1;
    await client.query(
      `INSERT INTO audit_event (id, organization_id, seq, event, actor_type, actor_id, subject_type, subject_id, before,
          after, request_id, created_at, previous_hash, hash)
        VALUES ($1, '${ORGANIZATION}', $2, 'api_key.updated', $3, $4, 'api_key', $5, $6, $7, 'req', now(), '', '')`,
      [`event_${seq}`, seq, ...actor, keyId, "{}", JSON.stringify(change)],
    );
  };
  const owner = ["member", "user_owner"] as const;
  const models = { allowed_models: ["claude-haiku-*"] };
  await insertKey("by_owner", models);
  await insertEvent("by_owner", owner, models);
  await insertKey("by_admin", { ...models, status: "inactive" });
  await insertEvent("by_admin", owner, models);
  await insertEvent("by_admin", ["member", "user_admin"], { status: "inactive" });
  await insertKey("by_admin_key", models);
  await insertEvent("by_admin_key", ["admin_key", "adminkey_1"], models);
  await insertKey("by_other", { allowed_addresses: ["10.0.0.0/8"] });
  await insertEvent("by_other", ["member", "user_other"], { allowed_addresses: ["10.0.0.0/8"] });
  await insertKey("unknown", { expires_at: "2027-01-01T00:00:00Z" });
  await insertKey("of_policy", { expires_at: "2027-04-01T00:00:00Z" });
  await client.query(`INSERT INTO api_key_secret (api_key_id, hash, hint, created_at)
    VALUES ('of_policy', sha256('of_policy'), 'h', '2027-01-01T00:00:00Z')`);
  await insertKey("held", { status: "inactive" });
  await client.query(`INSERT INTO held_key (key_id, kind, organization_id, held_at)
    VALUES ('held', 'api_key', '${ORGANIZATION}', now())`);
  await client.end();

  await migrate({ connectionString, migrations });
  const rows = await database
    .selectFrom("api_key_restriction")
    .select([
      "api_key_id",
      "rank",
      "is_disabled",
      "allowed_models",
      "allowed_addresses",
      "set_by_id",
    ])
    .orderBy("api_key_id")
    .orderBy("rank")
    .execute();
  const haiku = ["claude-haiku-*"];
  expect(rows.map((row) => Object.values(row))).toEqual([
    ["by_admin", "admin", true, null, null, "user_admin"],
    ["by_admin", "holder", false, haiku, null, "user_owner"],
    ["by_admin_key", "admin", false, haiku, null, "adminkey_1"],
    ["by_other", "workspace", false, null, ["10.0.0.0/8"], "user_other"],
    ["by_owner", "holder", false, haiku, null, "user_owner"],
    ["unknown", "workspace", false, null, null, "earlier_version"],
  ]);
  const policy = await database
    .selectFrom("api_key")
    .select("id")
    .where("lifetime_ends_at", "is not", null)
    .execute();
  expect(policy).toEqual([{ id: "of_policy" }]);
  await drop();
});
