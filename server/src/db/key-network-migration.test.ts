// Oldest PostgreSQL: schema
import pg from "pg";
import { expect, test } from "vitest";
import { networkOf } from "#src/key-lookup/address-ranges.ts";
import { createEmptyDatabase } from "#test/harness/database.ts";
import { planForValues } from "#test/harness/prepare-statements.ts";
import { migrate } from "./migrate.ts";
import { readMigrations } from "./migration-files.ts";

planForValues();

const REQUEST_ALERTS = 17;
const ADDRESSES = ["203.0.113.9", "2001:db8:1:2::3", "fe80::1%eth0", "::1", null];

test("records the last networks of keys during the migration", async () => {
  const { database, connectionString, drop } = await createEmptyDatabase();
  const migrations = await readMigrations();
  const before = migrations.filter(({ number }) => number < REQUEST_ALERTS);
  await migrate({ connectionString, migrations: before });
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(`
    INSERT INTO organization (id, name) VALUES ('6f1f7c0e-0d3c-4a51-9d3e-2a6f3a6f3a6f', 'Test');
    INSERT INTO workspace (id, organization_id, name, display_color)
      SELECT 'wksp_1', id, 'One', '#000000' FROM organization;
    INSERT INTO api_key (id, organization_id, workspace_id, name, permission, status, created_by_type, created_by_id)
      SELECT 'apikey_1', id, 'wksp_1', 'Key', 'write', 'active', 'local_operator', '0' FROM organization`);
  for (const [index, address] of ADDRESSES.entries()) {
    await client.query(
      `INSERT INTO api_key_secret (api_key_id, hash, hint, created_at, valid_until, last_used_at, last_used_address)
        VALUES ('apikey_1', $1, 'h', now(), now(), now(), $2)`,
      [Buffer.alloc(32, index), address],
    );
  }
  await client.end();

  await migrate({ connectionString, migrations });
  const rows = await database.selectFrom("api_key_network").select("network").execute();
  const networks = rows.map(({ network }) => network).sort();
  expect(networks).toEqual(
    ADDRESSES.flatMap((address) => (address === null ? [] : (networkOf(address) ?? []))).sort(),
  );
  expect(networks.length).toBe(4);
  await drop();
});
