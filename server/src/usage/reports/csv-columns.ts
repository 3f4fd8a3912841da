import type { costRow } from "@bursar/contract/admin/cost.ts";
import type { usageRow } from "@bursar/contract/admin/usage.ts";
import type { z } from "zod";
import type { CsvColumns } from "#src/lib/csv.ts";

type UsageLine = z.input<typeof usageRow>;
type CostLine = z.input<typeof costRow>;

const groupColumns: CsvColumns<Omit<UsageLine, "requests"> | CostLine> = {
  starting_at: (row) => row.starting_at,
  ending_at: (row) => row.ending_at,
  workspace_id: (row) => row.workspace_id,
  workspace_name: (row) => row.workspace_name,
  api_key_id: (row) => row.api_key_id,
  api_key_name: (row) => row.api_key_name,
  member_id: (row) => row.member_id,
  member_name: (row) => row.member_name,
  member_email: (row) => row.member_email,
  model: (row) => row.model,
  service_tier: (row) => row.service_tier,
  context_window: (row) => row.context_window,
  inference_geo: (row) => row.inference_geo,
  speed: (row) => row.speed,
  client: (row) => row.client,
  status: (row) => row.status,
};

export const usageColumns: CsvColumns<UsageLine> = {
  ...groupColumns,
  requests: (row) => row.requests,
  errors: (row) => row.errors,
  estimated_requests: (row) => row.estimated_requests,
  unpriced_requests: (row) => row.unpriced_requests,
  input_tokens: (row) => row.input_tokens,
  cache_write_5m_tokens: (row) => row.cache_write_5m_tokens,
  cache_write_1h_tokens: (row) => row.cache_write_1h_tokens,
  cache_read_tokens: (row) => row.cache_read_tokens,
  output_tokens: (row) => row.output_tokens,
  total_tokens: (row) => row.total_tokens,
  web_searches: (row) => row.web_searches,
  cost_usd: (row) => row.cost_usd,
  input_cost_usd: (row) => row.cost_breakdown_usd.input,
  cache_write_5m_cost_usd: (row) => row.cost_breakdown_usd.cache_write_5m,
  cache_write_1h_cost_usd: (row) => row.cost_breakdown_usd.cache_write_1h,
  cache_read_cost_usd: (row) => row.cost_breakdown_usd.cache_read,
  output_cost_usd: (row) => row.cost_breakdown_usd.output,
  web_search_cost_usd: (row) => row.cost_breakdown_usd.web_search,
};

export const costColumns: CsvColumns<CostLine> = {
  ...groupColumns,
  token_type: (row) => row.token_type,
  units: (row) => row.units,
  cost_usd: (row) => row.cost_usd,
  requests: (row) => row.requests,
  unpriced_requests: (row) => row.unpriced_requests,
};
