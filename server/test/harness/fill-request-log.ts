import type { ServerProcess } from "./server-process.ts";

/** Inserts `rows` requests of the last day by SQL. Returns their total cost, nano-USD. */
export async function fillRequestLog(
  server: Pick<ServerProcess, "sql">,
  { workspaceId, apiKeyId }: { workspaceId: string; apiKeyId: string },
  rows: number,
): Promise<bigint> {
  await server.sql(
    `INSERT INTO usage_labels (id, organization_id, workspace_id, api_key_id, member_id, model, service_tier,
       context_window, inference_geo, speed, client)
     SELECT hashtextextended(k.id, i), k.organization_id, k.workspace_id, k.id, '', 'model-' || i, 'standard', '0-200k',
       'global', 'standard', 'curl'
     FROM generate_series(0, 6) AS i JOIN api_key AS k ON k.id = $1 AND k.workspace_id = $2`,
    [apiKeyId, workspaceId],
  );
  await server.sql("INSERT INTO usage_prices (id, prices) VALUES (0, '{}') ON CONFLICT DO NOTHING");
  await server.sql(
    "INSERT INTO usage_node (id, node_id) VALUES (0, 'node_1') ON CONFLICT DO NOTHING",
  );
  // Inserts in parts, because the server limits the duration of a statement.
  const PIECE = 50_000;
  for (let first = 0; first < rows; first += PIECE) {
    await server.sql(
      `INSERT INTO usage_record (request_id, started_at, duration_ms, labels_id, prices_id, usage_node_id, outcome_code,
         http_status, is_stream, is_estimated, is_unpriced, input_tokens, output_tokens, input_cost_nano_usd,
         cost_nano_usd)
       SELECT 'req_' || lpad(i::text, 24, '0'), at, 2000, hashtextextended($3, i % 7), 0, 0, 0, 200, false, false, false,
         nullif(i, 0), 5, cost, cost
       FROM generate_series($1::int, $2::int) AS i,
         LATERAL (SELECT date_trunc('milliseconds', now()) - interval '20 hours' + i * interval '10 ms' AS at,
           1 + (i::bigint * 7919) % 1000000007 AS cost) AS made`,
      [first, Math.min(first + PIECE, rows) - 1, apiKeyId],
    );
  }
  const [sum] = await server.sql<{ cost: string }>(
    "SELECT sum(cost_nano_usd)::text AS cost FROM recorded_request WHERE api_key_id = $1",
    [apiKeyId],
  );
  return BigInt(sum?.cost ?? 0);
}
