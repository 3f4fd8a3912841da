import { expect } from "vitest";
import { rateLimits } from "#src/rates/limits/rate-limit-kind.ts";
import { spendLimits } from "#src/spend/limits/spend-limit-kind.ts";
import type { Listed } from "#test/harness/admin.ts";
import { test } from "#test/harness/admin-test.ts";
import { copyValuesAbove } from "./limit-values.ts";

interface Limit {
  period?: string;
  model_group?: string;
  values: { rank: string }[];
}

test("a new key gets the strictest values that higher ranks have set for other keys", async ({
  h,
  org,
  workspaceId,
}) => {
  const [first, second, copy] = await Promise.all(
    [1, 2, 3].map(async () => (await org.admin.createApiKey(workspaceId)).id),
  );
  const setSpend = (apiKeyId: string | undefined, fields: object) =>
    org.admin.post("/v1/admin/spend_limits", {
      ...{ scope: { type: "api_key", api_key_id: apiKeyId }, period: "daily", ...fields },
    });
  await setSpend(first, { limit_usd: 10 });
  await setSpend(first, { limit_usd: 5, rank: "workspace" });
  await setSpend(first, { period: "monthly", limit_usd: 1, rank: "holder" });
  await setSpend(second, { limit_usd: 0, enforcement: "soft" });
  await org.admin.post("/v1/admin/rate_limits", {
    ...{ scope: { type: "api_key", api_key_id: second }, requests_per_minute: 6 },
  });
  await h.deps.database.transaction().execute(async (tx) => {
    const keys = {
      organizationId: org.id,
      fromApiKeyIds: [first ?? "", second ?? ""],
      toApiKeyId: copy ?? "",
      rank: "holder",
    } as const;
    await copyValuesAbove(spendLimits, tx, h.deps, keys);
    await copyValuesAbove(rateLimits, tx, h.deps, keys);
  });
  const listOf = async (path: string) =>
    (await org.admin.get<Listed<Limit>>(`${path}?api_key_id=${copy}`)).body.data;
  expect(await listOf("/v1/admin/spend_limits")).toMatchObject([
    {
      ...{ period: "daily", limit_usd: 0, enforcement: "strict" },
      values: [
        { rank: "admin", limit_usd: 0, enforcement: "strict" },
        { rank: "workspace", limit_usd: 5 },
      ],
    },
  ]);
  expect(await listOf("/v1/admin/rate_limits")).toMatchObject([
    { requests_per_minute: 6, values: [{ rank: "admin" }] },
  ]);
});
