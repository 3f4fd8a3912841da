import { sql } from "kysely";
import { expect } from "vitest";
import { hashSecret } from "#src/domain/key-format.ts";
import type { CreatedApiKey } from "./harness/admin.ts";
import { serverTest as base } from "./harness/admin-test.ts";

// Each secret is in exactly one response: in no table, log line, error or list. Only the lookup columns contain
// hashes, and hashes never leave the server.

const CREDENTIAL = "sk-ant-api03-canary-credential-0123456789abcdefghijklmnop";

const test = base.extend("org", { scope: "file" }, ({ h }) => h.organization());

const shown: string[] = [];
let secrets: string[];

test.beforeAll(async ({ h, org }) => {
  const workspace = await org.admin.createWorkspace();
  const apiKey = await org.admin.createApiKey(workspace.id, { permissions: ["admin"] });
  const adminKey = await org.admin.createAdminKey();
  const grace = { grace_period_seconds: 3600 };
  const rotated = await org.admin.post<CreatedApiKey>(
    `/v1/admin/api_keys/${apiKey.id}/rotate`,
    grace,
  );
  secrets = [org.adminKey, apiKey.key, rotated.body.key, adminKey.key, CREDENTIAL];
  const upstream = await org.operator.post<{ id: string }>("/v1/admin/upstreams", {
    name: "Claude",
    base_url: "https://api.anthropic.com",
    credential: CREDENTIAL,
  });
  const remember = (answer: { text: string; headers: object }) =>
    shown.push(answer.text, JSON.stringify(answer.headers));
  remember(upstream);
  // Uses of the keys: allowed and refused, with invalid input, with a cookie, revoked.
  for (const secret of secrets) {
    const holder = h.as(secret);
    for (const url of ["api_keys", "admin_keys", "upstreams", "workspaces", "nothing"]) {
      remember(await org.admin.get(`/v1/admin/${url}`));
      remember(await holder.get(`/v1/admin/${url}`));
    }
    remember(await org.admin.get("/v1/organizations/api_keys"));
    remember(
      await holder.send({
        method: "GET",
        url: "/v1/organizations/me",
        headers: { cookie: "a=b" },
      }),
    );
    remember(await holder.post("/v1/admin/api_keys", { name: 1, workspace_id: 2 }));
  }
  remember(
    await org.operator.post(`/v1/admin/upstreams/${upstream.body.id}`, {
      credential: `${CREDENTIAL}x`,
    }),
  );
  remember(await org.admin.post(`/v1/admin/admin_keys/${adminKey.id}/revoke`));
  remember(await h.as(adminKey.key).get("/v1/organizations/me"));
});

/** Middle of the secret. Too long to occur by chance, and without the hint. */
const middleOf = (secret: string) => secret.slice(20, 44);

test("no response after the first contains a secret or a hash", () => {
  const text = shown.join("\n");
  expect(text).toContain("partial_key_hint");
  for (const secret of secrets) {
    expect(text).not.toContain(middleOf(secret));
    expect(text).not.toContain(hashSecret(secret).toString("hex"));
    expect(text).not.toContain(hashSecret(secret).toString("base64"));
  }
});

test("no log line contains a secret", ({ h }) => {
  const text = h.logs.join("\n");
  for (const secret of secrets) expect(text).not.toContain(middleOf(secret));
});

test("no row of any table contains a secret, and only the lookup columns contain a hash", async ({
  h,
}) => {
  const { rows: tables } = await sql<{ name: string }>`
    SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`.execute(h.deps.database);
  expect(tables.length).toBeGreaterThan(10);
  for (const { name } of tables) {
    const { rows } = await sql<{ text: string }>`
      SELECT coalesce(string_agg(t::text, '\n'), '') AS text FROM ${sql.table(name)} AS t`.execute(
      h.deps.database,
    );
    const text = rows[0]?.text ?? "";
    for (const secret of secrets) {
      const inHex = Buffer.from(middleOf(secret)).toString("hex");
      expect(text).not.toContain(middleOf(secret));
      expect(text).not.toContain(inHex);
      if (name !== "api_key_secret" && name !== "admin_key") {
        expect(text).not.toContain(hashSecret(secret).toString("hex"));
      }
    }
  }
});
