import type { apiKey } from "@bursar/contract/admin/api-keys.ts";
import type { getKeyHygiene } from "@bursar/contract/admin/key-hygiene.ts";
import { keyIssues } from "@bursar/contract/key-issues.ts";
import { sql } from "kysely";
import { expect } from "vitest";
import type { z } from "zod";
import type { Client, Listed } from "#test/harness/admin.ts";
import { serverTest as test } from "#test/harness/admin-test.ts";

type Hygiene = z.output<(typeof getKeyHygiene)["response"]>;
type ApiKey = z.output<typeof apiKey>;

const DAY_MS = 86_400_000;

test("counts working keys by issue, and the list has the same keys", async ({ h }) => {
  const org = await h.organization();
  const { operator } = org;
  const { id } = await operator.createWorkspace();
  const { id: elsewhere } = await operator.createWorkspace();
  const owner = await org.member({ workspaces: { [id]: "workspace_developer" } });
  const expires_at = new Date(h.clock.nowMs + 30 * DAY_MS).toISOString();
  const good = await operator.createApiKey(id, {
    name: "good",
    owner_member_id: owner.id,
    expires_at,
  });
  const limit = (api_key_id: string) =>
    operator.post("/v1/admin/spend_limits", {
      scope: { type: "api_key", api_key_id },
      period: "monthly",
      limit_usd: 10,
    });
  await limit(good.id);
  const old = await operator.createApiKey(id, {
    name: "old",
    owner_member_id: owner.id,
    expires_at,
  });
  await limit(old.id);
  const long = new Date(h.clock.nowMs - 181 * DAY_MS);
  await sql`UPDATE api_key SET created_at = ${long} WHERE id = ${old.id}`.execute(h.deps.database);
  await sql`UPDATE api_key_secret SET created_at = ${long} WHERE api_key_id = ${old.id}`.execute(
    h.deps.database,
  );
  await operator.createApiKey(id, { name: "wide", permissions: ["admin"] });
  const soon = new Date(h.clock.nowMs + 14 * DAY_MS).toISOString();
  const ending = await operator.createApiKey(id, {
    name: "ending",
    owner_member_id: owner.id,
    expires_at: soon,
  });
  await limit(ending.id);
  await operator.createApiKey(elsewhere, { name: "elsewhere" });
  const gone = await operator.createApiKey(id, { name: "gone" });
  await operator.post(`/v1/admin/api_keys/${gone.id}`, { status: "archived" });

  const read = async (client: Client, query = "") =>
    (await client.get<Hygiene>(`/v1/admin/key_hygiene${query}`)).body;
  const counts = ({ cards }: Hygiene) =>
    Object.fromEntries(cards.map(({ issue, count }) => [issue, count]));
  const all = await read(operator);
  // Neither a missing expiry nor a missing limit needs attention: "old" and "ending" alone do.
  expect([all.keys, all.keys_without_issue, all.keys_needing_attention]).toEqual([5, 1, 2]);
  expect(counts(all)).toEqual({
    never_expires: 2,
    no_spend_limit: 2,
    expires_within_14_days: 1,
    unused_90_days: 1,
    wide_permission: 1,
    older_than_180_days: 1,
    no_owner: 2,
    exceeds_max_lifetime: 0,
  });
  for (const issue of keyIssues) {
    const { body } = await operator.get<Listed<ApiKey>>(`/v1/admin/api_keys?issue=${issue}`);
    expect([issue, body.data.length]).toEqual([issue, counts(all)[issue]]);
  }
  const needing = await operator.get<Listed<ApiKey>>("/v1/admin/api_keys?needs_attention=true");
  expect(needing.body.data.map(({ name, attention }) => [name, attention]).sort()).toEqual([
    ["ending", ["expires_within_14_days"]],
    ["old", ["unused_90_days", "older_than_180_days"]],
  ]);
  expect((await read(operator, `?workspace_id=${elsewhere}`)).keys).toBe(1);
  // A member of some workspaces counts the keys of these workspaces only.
  expect((await read(owner.client)).keys).toBe(4);
  expect((await owner.client.get(`/v1/admin/key_hygiene?workspace_id=${elsewhere}`)).status).toBe(
    404,
  );
});

test("counts zero for an organization without keys", async ({ h }) => {
  const org = await h.organization();
  const { body } = await org.admin.get<Hygiene>("/v1/admin/key_hygiene");
  expect(body).toEqual({
    type: "key_hygiene",
    keys: 0,
    keys_without_issue: 0,
    keys_needing_attention: 0,
    cards: keyIssues.map((issue) => ({ issue, count: 0 })),
  });
});
