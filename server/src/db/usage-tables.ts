import type { ColumnType, Generated } from "kysely";

// What requests used and cost: each by itself (0001_spine.sql), and summed up for reports (0011_reports.sql,
// 0022_finer_reports.sql).

type Json<T> = ColumnType<T, string, string>;

export interface UsageTables {
  usage_event: UsageEventTable;
  usage_hour: UsageRollupTable;
  usage_day: UsageRollupTable;
  usage_week: UsageRollupTable;
  usage_month: UsageRollupTable;
  usage_key_day: UsageKeyRollupTable;
  usage_key_week: UsageKeyRollupTable;
  usage_key_month: UsageKeyRollupTable;
  usage_member_hour: UsageMemberRollupTable;
  usage_member_day: UsageMemberRollupTable;
  usage_member_week: UsageMemberRollupTable;
  usage_organization_minute: UsageOrganizationRollupTable;
  usage_organization_hour: UsageOrganizationRollupTable;
  usage_organization_day: UsageOrganizationRollupTable;
  usage_workspace_hour: UsageWorkspaceRollupTable;
  usage_workspace_day: UsageWorkspaceRollupTable;
  usage_settings: UsageSettingsTable;
}

interface UsageCounts {
  input_tokens: bigint;
  cache_write_5m_tokens: bigint;
  cache_write_1h_tokens: bigint;
  cache_read_tokens: bigint;
  output_tokens: bigint;
  web_searches: bigint;
  input_cost_nano_usd: bigint;
  cache_write_5m_cost_nano_usd: bigint;
  cache_write_1h_cost_nano_usd: bigint;
  cache_read_cost_nano_usd: bigint;
  output_cost_nano_usd: bigint;
  web_search_cost_nano_usd: bigint;
  cost_nano_usd: bigint;
}

interface UsageModelDimensions {
  model: string;
  service_tier: string;
  context_window: string;
  inference_geo: string;
  speed: string;
  client: string;
}

interface UsageDimensions extends UsageModelDimensions {
  organization_id: string;
  workspace_id: string;
  api_key_id: string;
  /** "" for a workspace's own key. */
  member_id: string;
}

interface UsageEventTable extends Omit<UsageDimensions, "member_id">, UsageCounts {
  member_id: Generated<string>;
  request_id: string;
  started_at: Date;
  ended_at: Date;
  node_id: string;
  outcome: "answered" | "refused" | "unreached" | "aborted" | "interrupted";
  http_status: number | null;
  is_stream: boolean;
  is_estimated: boolean;
  is_unpriced: boolean;
  requested_model: string;
  prices: Json<unknown>;
  upstream_request_id: string | null;
  hold_nano_usd: bigint | null;
  first_byte_ms: number | null;
}

interface UsageRollupCounts extends UsageCounts {
  bucket_at: Date;
  organization_id: string;
  requests: bigint;
  errors: bigint;
  estimated_requests: bigint;
  unpriced_requests: bigint;
}

interface UsageRollupTable extends UsageDimensions, UsageRollupCounts {
  status: string;
}

interface UsageOrganizationRollupTable extends UsageModelDimensions, UsageRollupCounts {
  status: string;
}

interface UsageKeyRollupTable extends UsageRollupCounts {
  workspace_id: string;
  api_key_id: string;
  member_id: string;
  model: string;
}

interface UsageMemberRollupTable extends UsageOrganizationRollupTable {
  member_id: string;
}

interface UsageWorkspaceRollupTable extends UsageRollupCounts {
  workspace_id: string;
}

interface UsageSettingsTable {
  organization_id: string;
  log_retention_days: number | null;
  log_pruned_before: Date | null;
}
