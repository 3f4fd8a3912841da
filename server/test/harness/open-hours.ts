/** SQL of the CTE `open_hours`: requests and cost of usage that only rollups per hour with all labels and per minute have. */
export const openHours = `open_hours AS (
  SELECT coalesce(sum(requests), 0) AS requests, coalesce(sum(cost_nano_usd), 0) AS cost FROM usage_hour
  WHERE (bucket_at, organization_id, workspace_id COLLATE "C", api_key_id COLLATE "C")
    > (SELECT hour_at, organization_id, workspace_id, api_key_id FROM rollup_progress)
)`;
