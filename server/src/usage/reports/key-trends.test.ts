import type { getApiKeyTrends } from "@bursar/contract/admin/api-key-trends.ts";
import { expect } from "vitest";
import type { z } from "zod";
import { closeHoursBefore } from "#src/recording/close-hours.ts";
import { serverTest as test } from "#test/harness/admin-test.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";

type Trends = z.output<(typeof getApiKeyTrends)["response"]>;

const TRENDS = "/v1/admin/api_keys/trends";
const DAY_MS = 86_400_000;
const COST = "0.0000811";

test("returns the cost of each of 14 days, from closed and open hours, of visible keys alone", async ({
  h,
}) => {
  const org = await h.organization();
  const { id: workspaceId } = await org.operator.createWorkspace();
  const { id: elsewhere } = await org.operator.createWorkspace();
  const used = await org.operator.createApiKey(workspaceId);
  const unused = await org.operator.createApiKey(workspaceId);
  const hidden = await org.operator.createApiKey(elsewhere);
  const today = Math.floor(h.clock.nowMs / DAY_MS) * DAY_MS;
  const record = (apiKeyId: string, workspaceId: string, startedAtMs: number) =>
    endRecord({
      requestId: `req_${startedAtMs}_${apiKeyId}`,
      organizationId: org.id,
      workspaceId,
      apiKeyId,
      startedAtMs,
    });
  await recordUsage(h.deps.database, [
    record(used.id, workspaceId, today - 13 * DAY_MS),
    record(used.id, workspaceId, today - 14 * DAY_MS),
    record(used.id, workspaceId, today - DAY_MS),
    record(hidden.id, elsewhere, today - DAY_MS),
  ]);
  await closeHoursBefore(h.deps.database, today);
  await recordUsage(h.deps.database, [record(used.id, workspaceId, today)]);

  const ids = [used.id, unused.id, hidden.id];
  const read = async (client = org.operator) =>
    (await client.get<Trends>(`${TRENDS}?api_key_ids=${ids.join(",")}`)).body;
  const none = Array.from({ length: 14 }, () => "0.00");
  const costs = none.with(0, COST).with(12, COST).with(13, COST);
  const shown = await read();
  expect(shown.starting_at).toBe(new Date(today - 13 * DAY_MS).toISOString());
  expect(shown.data).toEqual([
    { api_key_id: used.id, cost_usd: costs },
    { api_key_id: unused.id, cost_usd: none },
    { api_key_id: hidden.id, cost_usd: none.with(12, COST) },
  ]);
  const member = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
  expect((await read(member.client)).data).toEqual(shown.data.slice(0, 2));
});

test("returns no key of another organization", async ({ h }) => {
  const org = await h.organization();
  const other = await h.organization();
  const { id } = await other.operator.createApiKey((await other.operator.createWorkspace()).id);
  const { body } = await org.operator.get<Trends>(`${TRENDS}?api_key_ids=${id}`);
  expect(body.data).toEqual([]);
});
