import type { ServerProcess } from "./server-process.ts";

/** Inserts `rows` requests of the last day by SQL. Returns their total cost, nano-USD. */
export async function fillRequestLog(
  server: Pick<ServerProcess, "sql">,
  { workspaceId, apiKeyId }: { workspaceId: string; apiKeyId: string },
  rows: number,
): Promise<bigint> {
  // Inserts in parts, because the server limits the duration of a statement.
  const PIECE = 50_000;
  for (let first = 0; first < rows; first += PIECE) {
    await server.sql(
      `INSERT INTO usage_event (request_id, started_at, ended_at, node_id, organization_id, workspace_id, api_key_id,
         outcome, http_status, is_stream, is_estimated, is_unpriced, requested_model, model, service_tier, context_window,
         inference_geo, speed, client, input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens,
         output_tokens, web_searches, input_cost_nano_usd, cache_write_5m_cost_nano_usd, cache_write_1h_cost_nano_usd,
         cache_read_cost_nano_usd, output_cost_nano_usd, web_search_cost_nano_usd, cost_nano_usd, prices)
       SELECT 'req_' || lpad(i::text, 24, '0'), at, at + interval '2 s', 'node_1', k.organization_id, k.workspace_id, k.id,
         'answered', 200, false, false, false, m, m, 'standard', '0-200k', 'global', 'standard', 'curl', i, 0, 0, 0, 5, 0,
         cost, 0, 0, 0, 0, 0, cost, '{}'
       FROM generate_series($1::int, $2::int) AS i
       JOIN api_key AS k ON k.id = $3 AND k.workspace_id = $4,
         LATERAL (SELECT now() - interval '20 hours' + i * interval '10 ms' AS at, 'model-' || i % 7 AS m,
           1 + (i::bigint * 7919) % 1000000007 AS cost) AS made`,
      [first, Math.min(first + PIECE, rows) - 1, apiKeyId, workspaceId],
    );
  }
  const [sum] = await server.sql<{ cost: string }>(
    "SELECT sum(cost_nano_usd)::text AS cost FROM usage_event WHERE api_key_id = $1",
    [apiKeyId],
  );
  return BigInt(sum?.cost ?? 0);
}
