import { sql } from "kysely";
import { expect } from "vitest";
import { test } from "#test/harness/database-test.ts";
import { formatContent, signedColumns, signedTables } from "./row-content.ts";

test("the triggers record changes of exactly the signed columns", async ({ db }) => {
  for (const table of signedTables) {
    const { rows } = await sql<{ definition: string }>`
      SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger
      WHERE tgrelid = ${table}::regclass AND tgname = ${`${table}_update`}`.execute(db.database);
    const columns = [...(rows[0]?.definition ?? "").matchAll(/old\.(\w+)/g)].map(
      ([, name]) => name,
    );
    expect(columns).toEqual(Object.keys(signedColumns[table]));
  }
});

test("a row from the driver and as JSON have the same content", async ({ db }) => {
  const { rows } = await sql<{ json: SecretRow }>`
    WITH secret (id, api_key_id, hash, created_at, valid_until, playground_session_id, auth_session_id) AS (
      VALUES (12345678901::bigint, 'apikey_1', '\\x00ff'::bytea, '2026-11-20 12:00:00.123456+01'::timestamptz,
        NULL::timestamptz, NULL::text, 'session'))
    SELECT to_jsonb(secret) AS json FROM secret`.execute(db.database);
  const driver = await sql<SecretRow>`
    SELECT 12345678901::bigint AS id, 'apikey_1' AS api_key_id, '\\x00ff'::bytea AS hash,
      '2026-11-20 12:00:00.123456+01'::timestamptz AS created_at, NULL AS valid_until,
      NULL AS playground_session_id, 'session' AS auth_session_id`.execute(db.database);
  const [one, other] = [rows[0]?.json, driver.rows[0]];
  if (one === undefined || other === undefined) throw new Error("no row");
  expect(formatContent("api_key_secret", one)).toBe(formatContent("api_key_secret", other));
  expect(formatContent("api_key_secret", one)).toBe(
    '["api_key_secret",["id","12345678901"],["api_key_id","apikey_1"],["hash","00ff"],' +
      '["created_at","2026-11-20T11:00:00.123Z"],["auth_session_id","session"]]',
  );
});

interface SecretRow {
  id: bigint | number;
  api_key_id: string;
  hash: Uint8Array | string;
  created_at: Date | string;
  valid_until: null;
  playground_session_id: null;
  auth_session_id: string;
}
