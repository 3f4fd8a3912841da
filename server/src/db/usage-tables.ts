import type {
  AmountColumn,
  AttributionColumn,
  ClaimedColumn,
  CountColumn,
  EventLabel,
  FailoverReason,
  LabelColumn,
  TextLabel,
} from "@bursar/contract/usage-shape.ts";
import type { ColumnType, Generated } from "kysely";

// Usage and cost of single requests (0001_spine.sql, 0027_usage_records.sql) and their sums for reports (0011_reports.sql,
// 0022_finer_reports.sql, 0050_usage_attribution.sql). 0062_claimed_labels.sql adds claimed labels, 0069_cut_streams.sql
// adds cuts.

type Json<T> = ColumnType<T, string, string>;

export interface UsageTables {
  /** View of all requests: usage_record, and usage_event of older versions. */
  recorded_request: RecordedRequestView;
  usage_record: UsageRecordTable;
  usage_labels: UsageLabelsTable;
  usage_prices: { id: bigint; prices: Json<unknown> };
  usage_node: { id: bigint; node_id: string };
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
  usage_attribution: UsageAttributionTable;
  usage_attributed_hour: UsageAttributedRollupTable;
  usage_attributed_day: UsageAttributedRollupTable;
  usage_attributed_month: UsageAttributedRollupTable;
  usage_settings: UsageSettingsTable;
  retention_mark: RetentionMarkTable;
  rollup_progress: RollupProgressTable;
}

interface UsageEventTable
  extends Record<Exclude<EventLabel, "member_id">, string>,
    Record<AmountColumn, bigint> {
  organization_id: string;
  /** "" for a key of a workspace. */
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

interface RecordedRequestView
  extends Omit<UsageEventTable, "member_id">,
    Record<AttributionColumn, string>,
    Record<ClaimedColumn, string | null> {
  attribution_id: bigint;
  member_id: string;
  doubt: "impossible_usage" | "missing_usage" | "incomplete_usage" | null;
  has_unbilled_parts: boolean;
  cut: Json<unknown> | null;
  upstream_id: string | null;
  failover: FailoverReason | null;
  request_hash: bigint;
  outcome_code: number;
}

interface UsageLabelsTable extends Record<EventLabel | AttributionColumn, string> {
  id: bigint;
  organization_id: string;
  /** 0: no group and no tag. */
  attribution_id: Generated<bigint>;
}

/** An amount of zero is null. */
interface UsageRecordTable
  extends Record<AmountColumn, bigint | null>,
    Record<ClaimedColumn, string | null> {
  started_at: Date;
  labels_id: bigint;
  prices_id: bigint;
  usage_node_id: bigint;
  hold_nano_usd: bigint | null;
  duration_ms: number;
  first_byte_ms: number | null;
  http_status: number | null;
  outcome_code: number;
  is_stream: boolean;
  is_estimated: boolean;
  is_unpriced: boolean;
  /** Null: none. */
  doubt_code: number | null;
  /** Null: false. */
  has_unbilled_parts: boolean | null;
  request_id: string;
  upstream_request_id: string | null;
  /** Null: the model of the labels. */
  requested_model: string | null;
  /** JSON. Null: the stream was not cut by a limit. */
  cut: string | null;
  /** Null: no stored upstream. */
  served_by: string | null;
}

interface UsageRollupCounts extends Record<CountColumn, bigint> {
  bucket_at: Date;
  organization_id: string;
}

interface UsageRollupTable extends Record<LabelColumn, string>, UsageRollupCounts {}

interface UsageAttributionTable extends Record<AttributionColumn, string> {
  id: bigint;
  organization_id: string;
}

interface UsageAttributedRollupTable extends UsageRollupTable {
  attribution_id: bigint;
}

interface UsageOrganizationRollupTable extends Record<TextLabel, string>, UsageRollupCounts {
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

interface RetentionMarkTable {
  is_only_row: Generated<boolean>;
  hours_before: Date | null;
  days_before: Date | null;
  /** Date. */
  balances_before: string | null;
}

interface RollupProgressTable {
  is_only_row: Generated<boolean>;
  /** The driver returns `Infinity` for "infinity". */
  hour_at: Date | number;
  organization_id: Generated<string>;
  workspace_id: Generated<string>;
  api_key_id: Generated<string>;
}
