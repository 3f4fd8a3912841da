import { expect } from "vitest";
import { startAccessTokens } from "#src/key-lookup/access-token-keys.ts";
import { type Listed, PUBLIC_URL } from "#test/harness/admin.ts";
import { test } from "#test/harness/admin-test.ts";
import { signInLaptop } from "#test/harness/laptops.ts";
import { makeLaptopJobs } from "./laptop-jobs.ts";

const DAY_MS = 86_400_000;
const attempt = { isLast: true };

test("keys of tokens are replaced every 30 days, and every token outlives its key's use", async ({
  h,
  org,
  workspaceId,
}) => {
  const run = makeLaptopJobs(h.deps)["replace_token_keys"];
  const member = await org.member({ workspaces: { [workspaceId]: "workspace_user" } });
  const start = h.clock.nowMs;
  const { tokens, reload } = await startAccessTokens(h.deps, () => PUBLIC_URL);
  const of = { organizationId: org.id, workspaceId, memberId: member.id };
  const laptop = await signInLaptop({ ...h.deps, accessTokens: tokens }, of);
  const countKeys = () => h.deps.database.selectFrom("access_token_key").select("id").execute();
  const first = (await countKeys()).length;
  for (let day = 1; day <= 89; day++) {
    h.clock.nowMs = start + day * DAY_MS;
    await run?.({}, attempt);
    await run?.({}, attempt);
    await reload();
    expect(tokens.checkRefresh(laptop.refreshToken, h.clock.nowMs).laptopId).toBe(laptop.id);
  }
  expect((await countKeys()).length).toBe(first + 3);
  h.clock.nowMs = start + 400 * DAY_MS;
  await run?.({}, attempt);
  expect((await countKeys()).length).toBe(2);
  h.clock.nowMs = start;
});

test("an ended laptop is listed for 90 days, and then deleted with its secret", async ({
  h,
  org,
  workspaceId,
}) => {
  const run = makeLaptopJobs(h.deps)["delete_ended_laptops"];
  const member = await org.member({ workspaces: { [workspaceId]: "workspace_user" } });
  const start = h.clock.nowMs;
  const of = { organizationId: org.id, workspaceId, memberId: member.id };
  const ended = await signInLaptop(h.deps, { ...of, endsAt: new Date(start + DAY_MS) });
  const idle = await signInLaptop(h.deps, of);
  const listIds = async () => {
    const { body } =
      await org.admin.get<Listed<{ id: string; status: string }>>("/v1/admin/laptops");
    return body.data.map(({ id, status }) => [id, status]).toSorted();
  };
  h.clock.nowMs = start + 90 * DAY_MS;
  await run?.({}, attempt);
  const both = [
    [ended.id, "ended"],
    [idle.id, "ended"],
  ];
  expect(await listIds()).toEqual(both.toSorted());
  h.clock.nowMs = start + 92 * DAY_MS;
  await run?.({}, attempt);
  expect(await listIds()).toEqual([[idle.id, "ended"]]);
  h.clock.nowMs = start + 181 * DAY_MS;
  await run?.({}, attempt);
  expect(await listIds()).toEqual([]);
  const secrets = await h.deps.database
    .selectFrom("api_key_secret")
    .select("valid_until")
    .where("api_key_id", "=", ended.apiKeyId)
    .execute();
  expect(secrets).toEqual([{ valid_until: null }]);
  h.clock.nowMs = start;
});
