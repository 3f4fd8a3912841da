import type { loggedRequestDetail } from "@bursar/contract/admin/requests.ts";
import { expect } from "vitest";
import type { z } from "zod";
import { newId } from "#src/lib/ids.ts";
import type { Listed } from "#test/harness/admin.ts";
import { serverTest as test } from "#test/harness/admin-test.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";

type Detail = z.output<typeof loggedRequestDetail>;

const LOG = "/v1/admin/requests";
const NOON = Date.UTC(2026, 10, 19, 12);

test("a cut stream has the facts of its cut", async ({ h }) => {
  const home = await h.organization();
  const { id: workspaceId } = await home.admin.createWorkspace({ name: "Research" });
  const { id: apiKeyId } = await home.admin.createApiKey(workspaceId);
  const limit = await home.admin.post<{ id: string }>("/v1/admin/spend_limits", {
    scope: { type: "workspace", workspace_id: workspaceId },
    period: "monthly",
    limit_usd: 10,
  });
  const limitId = limit.body.id;
  const of = { organizationId: home.id, workspaceId, apiKeyId };
  const cut = {
    reason: "limit_held",
    period: "monthly",
    heldNanoUsd: 250_000_000n,
    seenOutputTokens: 1_000,
    boundOutputTokens: 1_300,
  } as const;
  const balance = {
    limitNanoUsd: 10_000_000_000n,
    settledNanoUsd: 9_500_000_000n,
    leasedNanoUsd: 500_000_000n,
    unresolvedNanoUsd: 0n,
  };
  const cuts = [
    { ...cut, scopeType: "workspace", scopeId: workspaceId, pausedMs: 42_000, balance },
    { ...cut, scopeType: "organization", scopeId: home.id },
    undefined,
  ] as const;
  const records = cuts.map((each, minute) => {
    const startedAtMs = NOON + minute * 60_000;
    const requestId = newId("req_", startedAtMs);
    return endRecord({ ...of, requestId, startedAtMs, ...(each && { cut: each }) });
  });
  await recordUsage(h.deps.database, records);
  const find = async (query: string) => {
    const { body } = await home.admin.get<Listed<Detail>>(`${LOG}?${query}`);
    return body.data;
  };
  const facts = {
    reason: "limit_held",
    period: "monthly",
    held_usd: "0.25",
    seen_output_tokens: 1_000,
    bound_output_tokens: 1_300,
  };
  const ofOrganization = {
    scope: { type: "organization" },
    scope_name: null,
    spend_limit_id: null,
    paused_ms: null,
    balance: null,
  };
  const ofWorkspace = {
    scope: { type: "workspace", workspace_id: workspaceId },
    scope_name: "Research",
    spend_limit_id: limitId,
    paused_ms: 42_000,
    balance: { limit_usd: "10.00", spent_usd: "9.50", held_usd: "0.50", unresolved_usd: "0.00" },
  };
  const shown = [
    { ...facts, ...ofOrganization },
    { ...facts, ...ofWorkspace },
  ];
  expect((await find("is_cut=true")).map((each) => each.cut)).toEqual(shown);
  expect((await find("is_cut=false")).map((each) => each.cut)).toEqual([null]);
  const detail = await home.admin.get<Detail>(`${LOG}/${records[0]?.requestId}`);
  expect(detail.body.cut).toEqual(shown[1]);
  const file = await home.admin.get(`${LOG}/export?is_cut=true`);
  const [heading, ...lines] = file.text.trimEnd().split("\r\n");
  const at = heading?.split(",").indexOf("cut_reason") ?? -1;
  expect([heading, ...lines].map((line) => line?.split(",").slice(at).join())).toEqual([
    "cut_reason,cut_scope_type,cut_scope_id,cut_scope_name,cut_period,cut_spend_limit_id,cut_held_usd,cut_seen_output_tokens,cut_bound_output_tokens,cut_paused_ms,cut_limit_usd,cut_limit_spent_usd,cut_limit_held_usd,cut_limit_unresolved_usd",
    "limit_held,organization,,,monthly,,0.25,1000,1300,,,,,",
    `limit_held,workspace,${workspaceId},Research,monthly,${limitId},0.25,1000,1300,42000,10.00,9.50,0.50,0.00`,
  ]);
});
