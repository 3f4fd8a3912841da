// Oldest PostgreSQL: schema

import pg from "pg";
import { expect, test } from "vitest";
import { findApiKeyByHash } from "#src/key-lookup/api-key-lookup.sql.ts";
import { makeRowSigner } from "#src/signed-rows/row-signer.ts";
import { createEmptyDatabase } from "#test/harness/database.ts";
import { planForValues } from "#test/harness/prepare-statements.ts";
import { migrate } from "./migrate.ts";
import { readMigrations } from "./migration-files.ts";

planForValues();

const KEY_LIFE = 6;

test("finds keys from before the secrets table by the same secret", async () => {
  const { database, connectionString, drop } = await createEmptyDatabase();
  const migrations = await readMigrations();
  const before = migrations.filter(({ number }) => number < KEY_LIFE);
  await migrate({ connectionString, migrations: before });
  const hashes = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(`
    INSERT INTO organization (id, name) VALUES ('6f1f7c0e-0d3c-4a51-9d3e-2a6f3a6f3a6f', 'Test');
    INSERT INTO workspace (id, organization_id, name, display_color)
      SELECT 'wksp_1', id, 'One', '#000000' FROM organization`);
  for (const [index, hash] of hashes.entries()) {
    await client.query(
      `INSERT INTO api_key (id, organization_id, workspace_id, name, permission, status, secret_hash, partial_key_hint,
          created_by_type, created_by_id)
        SELECT $1, id, 'wksp_1', 'Key', 'write', $2, $3, 'sk-ant-api03-abc...wxyz', 'local_operator', '0'
        FROM organization`,
      [`apikey_${index}`, index === 0 ? "active" : "archived", hash],
    );
  }
  await client.end();

  // The look-up uses the whole schema.
  await migrate({ connectionString, migrations });
  const found = await Promise.all(
    hashes.map((hash) =>
      findApiKeyByHash(database, makeRowSigner({ secret: "a secret of tests" }), hash),
    ),
  );
  const carried = {
    workspaceId: "wksp_1",
    permission: "write",
    secretValidUntilMs: null,
    ownerMemberId: null,
    ownerState: null,
    allowedModels: null,
    allowedAddresses: null,
  };
  expect(found).toMatchObject([
    { ...carried, id: "apikey_0", status: "active" },
    { ...carried, id: "apikey_1", status: "archived" },
  ]);
  const secrets = await database
    .selectFrom("api_key_secret")
    .select(["hint", "created_at"])
    .execute();
  expect(secrets.map(({ hint }) => hint)).toEqual(Array(2).fill("sk-ant-api03-abc...wxyz"));
  await drop();
});
