import { eventually } from "../../server/test/harness/eventually.ts";
import { type ServerProcess, sendMessage } from "../../server/test/harness/server-process.ts";
import type { Company } from "./company.ts";

const WAIT_MS = 60_000;

/**
 * Marks the newest request of the company as cut by the limit of its workspace, and a model as held whole. The simulator
 * never reaches a limit or a speed. Returns the pages that show them.
 */
export async function addCuts({
  server,
  engineeringId,
}: Company): Promise<[name: string, path: string][]> {
  const cut = {
    ...{
      reason: "limit_held",
      scope_type: "workspace",
      scope_id: engineeringId,
      period: "monthly",
    },
    ...{ held_nano_usd: "412000000", seen_output_tokens: 5_120, bound_output_tokens: 5_480 },
    paused_ms: null,
    balance: {
      ...{ limit_nano_usd: "400000000000", settled_nano_usd: "398120000000" },
      ...{ leased_nano_usd: "1880000000", unresolved_nano_usd: "0" },
    },
  };
  const id = await eventually(WAIT_MS, "a request", async () => {
    const [row] = await server.sql<{ request_id: string }>(
      `UPDATE usage_record SET cut = $1::jsonb, outcome_code = 4, is_stream = true, is_estimated = true
       WHERE (started_at, request_id) = (SELECT started_at, request_id FROM usage_record
         ORDER BY started_at DESC LIMIT 1) RETURNING request_id`,
      [JSON.stringify(cut)],
    );
    return row?.request_id ?? null;
  });
  await server.sql(
    `INSERT INTO exceeded_bound (id, organization_id, kind, name, observed, allowed, request_id, exceeded_at)
     SELECT 'bound_1', id, 'model', 'claude-opus-5', 812, 400, $1, now() FROM organization`,
    [id],
  );
  await addRefusal(server, engineeringId);
  return [
    ["request-cut", `/requests?range=30d&open=${id}`],
    ["requests-cut", "/requests?range=30d&cut=true"],
  ];
}

/** Sends a request whose key has a limit that is too small for it. */
async function addRefusal(server: ServerProcess, workspaceId: string): Promise<void> {
  const key = (await server.mustAdmin("POST", "/v1/admin/api_keys", {
    ...{ workspace_id: workspaceId, name: "Nightly evaluation" },
  })) as { id: string; key: string };
  await server.mustAdmin("POST", "/v1/admin/spend_limits", {
    ...{ scope: { type: "api_key", api_key_id: key.id }, period: "daily", limit_usd: 0.0001 },
  });
  await eventually(WAIT_MS, "a refusal", async () => {
    const { status } = await sendMessage(server.url, key.key);
    return status === 400 ? true : null;
  });
  await eventually(WAIT_MS, "the refusal in the list", async () => {
    const { data } = await server.mustAdmin("GET", "/v1/admin/refusals/recent");
    return (data as object[]).length > 0 ? true : null;
  });
}
