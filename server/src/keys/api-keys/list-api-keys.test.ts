import type { apiKey } from "@bursar/contract/admin/api-keys.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";

const KEYS = "/v1/admin/api_keys";
const DAY_MS = 86_400_000;
type ApiKey = z.output<typeof apiKey>;

const test = base
  .extend("make", ({ h, org, workspaceId }) => (name: string, fields: object = {}) => {
    h.clock.nowMs++;
    return org.admin.createApiKey(workspaceId, { name, ...fields });
  })
  .extend(
    "inDays",
    ({ h }) =>
      (days: number) =>
        new Date(h.clock.nowMs + days * DAY_MS).toISOString(),
  )
  /** Returns the names of the listed keys, newest first. */
  .extend("list", ({ org }) => async (query: string) => {
    const { body } = await org.admin.get<Listed<ApiKey>>(`${KEYS}?${query}`);
    return body.data.map(({ name }) => name);
  });

test("a search finds name, id, hint and owner in any case, and takes % literally", async ({
  org,
  workspaceId,
  make,
  list,
}) => {
  const grace = await org.member({
    name: "Grace Hopper",
    email: "grace@navy.example",
    workspaces: { [workspaceId]: "workspace_user" },
  });
  const plain = await make("Plain key");
  const hers = await make("Hers", { owner_member_id: grace.id });
  await make("50% Off");
  // The text has a space, because ids and hints contain random letters.
  expect(await list("search=lain%20KE")).toEqual(["Plain key"]);
  expect(await list(`search=${plain.id}`)).toEqual(["Plain key"]);
  expect(await list(`search=${encodeURIComponent(hers.partial_key_hint)}`)).toEqual(["Hers"]);
  expect(await list("search=HOPPER")).toEqual(["Hers"]);
  expect(await list("search=navy.example")).toEqual(["Hers"]);
  expect(await list("search=%25")).toEqual(["50% Off"]);
  // Only ids contain an underscore.
  expect(await list("search=%5F")).toEqual(["50% Off", "Hers", "Plain key"]);
  expect(await list(`search=${encodeURIComponent("' OR true --")}`)).toEqual([]);
  expect(await list("owner_type=member")).toEqual(["Hers"]);
  expect(await list("owner_type=workspace")).toEqual(["50% Off", "Plain key"]);
  expect(await list(`owner_member_id=${grace.id}&search=hers`)).toEqual(["Hers"]);
  expect(await list("owner_member_id=user_unknown")).toEqual([]);
});

test("expiring_within_days lists keys that expire in time, without expired and archived ones", async ({
  h,
  org,
  make,
  inDays,
  list,
}) => {
  await make("never");
  await make("in 3 days", { expires_at: inDays(3) });
  await make("in 10 days", { expires_at: inDays(10) });
  const archived = await make("archived", { expires_at: inDays(3) });
  await org.admin.post(`${KEYS}/${archived.id}`, { status: "archived" });
  expect(await list("expiring_within_days=7")).toEqual(["in 3 days"]);
  expect(await list("expiring_within_days=11")).toEqual(["in 10 days", "in 3 days"]);
  h.clock.nowMs += 4 * DAY_MS;
  expect(await list("expiring_within_days=7")).toEqual(["in 10 days"]);
});

test("unused_days lists keys that are old enough and were not used since", async ({
  h,
  make,
  list,
}) => {
  const used = await make("used", { permissions: ["admin"] });
  const usedLongAgo = await make("used long ago", { permissions: ["admin"] });
  await make("never used");
  await h.as(usedLongAgo.key).get(KEYS);
  h.clock.nowMs += 30 * DAY_MS;
  await h.as(used.key).get(KEYS);
  await make("new");
  await h.keyUse.flush();
  expect(await list("unused_days=30")).toEqual(["never used", "used long ago"]);
  expect(await list("unused_days=31")).toEqual([]);
});

test.for(["expiring_within_days", "unused_days"])(
  "%s accepts whole days only",
  async (name, { org }) => {
    for (const value of ["0", "-1", "1.5", "x", "3651"]) {
      const answer = await org.admin.get(`${KEYS}?${name}=${value}`);
      expect(answer.status).toBe(400);
      expect(answer.error.message).toBe(`${name}: expected a whole number from 1 to 3650.`);
    }
    expect((await org.admin.get(`${KEYS}?${name}=`)).status).toBe(200);
  },
);

test("refuses a cursor of another search", async ({ org, make }) => {
  for (const name of ["one", "two"]) await make(name);
  const { body } = await org.admin.get<Listed<ApiKey>>(`${KEYS}?limit=1&search=o`);
  const other = await org.admin.get(`${KEYS}?limit=1&search=t&page=${body.next_page}`);
  expect(other.status).toBe(400);
  const next = await org.admin.get<Listed<ApiKey>>(
    `${KEYS}?limit=1&search=o&page=${body.next_page}`,
  );
  expect(next.body.data.map(({ name }) => name)).toEqual(["one"]);
});

describe("spend of the month", () => {
  test("is the settled spend of the key in the calendar month", async ({ h, org, make }) => {
    const made = await make("spender");
    const settle = (period_start: string, settled_nano_usd: bigint, period: "daily" | "monthly") =>
      h.deps.database
        .insertInto("balance")
        .values({
          scope_type: "api_key",
          scope_id: made.id,
          period,
          period_start,
          organization_id: org.id,
          settled_nano_usd,
        })
        .execute();
    await settle("2026-10-01", 7_000_000_000n, "monthly");
    const month = new Date(h.clock.nowMs).toISOString().slice(0, 7);
    await settle(`${month}-01`, 1_234_567_890n, "monthly");
    await settle(`${month}-01`, 5n, "daily");
    const read = await org.admin.get<ApiKey>(`${KEYS}/${made.id}`);
    expect(read.body.spent_month_usd).toBe("1.23456789");
    const { body } = await org.admin.get<Listed<ApiKey>>(KEYS);
    expect(body.data.map((key) => key.spent_month_usd)).toEqual(["1.23456789"]);
  });
});
