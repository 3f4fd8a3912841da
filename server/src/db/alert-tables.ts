import type { AlertChannelKind } from "@bursar/contract/admin/alert-channels.ts";
import type { AlertCondition, AlertKind, FiringFacts } from "@bursar/contract/admin/alerts.ts";
import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import type { ColumnType, Generated, GeneratedAlways } from "kysely";
import type { CountedScopeType, ScopeType } from "./ledger-tables.ts";

// Rows of 0012_alerts.sql and 0017_request_alerts.sql: alerts, their state and firings, channels and deliveries, and
// increase requests.

type Json<T> = ColumnType<T, string, string>;

export interface AlertTables {
  alert: AlertTable;
  alert_to_channel: { alert_id: string; alert_channel_id: string };
  alert_firing: AlertFiringTable;
  alert_channel: AlertChannelTable;
  alert_channel_secret: AlertChannelSecretTable;
  alert_delivery: AlertDeliveryTable;
  alert_delivery_firing: { alert_delivery_id: string; alert_firing_id: string };
  spend_limit_increase_request: IncreaseRequestTable;
  spend_limit_raise: SpendLimitRaiseTable;
  alert_episode: AlertEpisodeTable;
  api_key_network: ApiKeyNetworkTable;
  refused_request: RefusedRequestTable;
  refused_request_hour: RefusedRequestHourTable;
}

interface RefusedRequestTable {
  organization_id: string;
  workspace_id: string;
  api_key_id: string;
  minute_at: Date;
  requests: number;
}

interface RefusedRequestHourTable {
  organization_id: string;
  workspace_id: string;
  api_key_id: string;
  hour_at: Date;
  requests: number;
}

interface ApiKeyNetworkTable {
  api_key_id: string;
  network: string;
  first_seen_at: Date;
  last_seen_at: Date;
}

interface AlertEpisodeTable {
  alert_id: string;
  scope_type: ScopeType;
  scope_id: string;
  began_at: Date;
  last_seen_at: Date;
}

interface AlertTable {
  id: string;
  organization_id: string;
  name: string;
  kind: AlertKind;
  scope_type: CountedScopeType;
  scope_id: string;
  includes_below: boolean;
  condition: Json<AlertCondition>;
  notifies_owner: Generated<boolean>;
  is_enabled: Generated<boolean>;
  collect_minutes: Generated<number>;
  muted_until: Date | null;
  version: Generated<number>;
  created_at: Date;
  updated_at: Date;
  deleted_at: Date | null;
}

interface AlertFiringTable {
  id: string;
  organization_id: string;
  alert_id: string;
  kind: AlertKind;
  scope_type: ScopeType;
  scope_id: string;
  workspace_id: string | null;
  episode: string;
  threshold: string;
  facts: Json<FiringFacts>;
  is_muted: boolean;
  fired_at: Date;
  acknowledged_at: Date | null;
  acknowledged_by_type: string | null;
  acknowledged_by_id: string | null;
  note: string | null;
  told_with_id: string | null;
  covered_by_id: string | null;
}

interface AlertChannelTable {
  id: string;
  organization_id: string;
  name: string;
  kind: AlertChannelKind;
  recipients: Json<{ roles: OrganizationRole[]; addresses: string[] }> | null;
  target_sealed: Uint8Array | null;
  target_hint: string | null;
  is_enabled: Generated<boolean>;
  paused_at: Date | null;
  pause_reason: string | null;
  failures_in_a_row: Generated<number>;
  failing_since: Date | null;
  version: Generated<number>;
  created_at: Date;
  updated_at: Date;
  archived_at: Date | null;
}

interface AlertChannelSecretTable {
  id: GeneratedAlways<bigint>;
  alert_channel_id: string;
  secret_sealed: Uint8Array;
  created_at: Date;
  expires_at: Date | null;
}

interface AlertDeliveryTable {
  id: string;
  organization_id: string;
  alert_firing_id: string | null;
  alert_channel_id: string | null;
  status: "queued" | "sent" | "failed" | "dropped";
  attempts: Generated<number>;
  last_status: number | null;
  last_error: string | null;
  last_attempt_at: Date | null;
  created_at: Date;
  sent_at: Date | null;
  resolved_at: Date | null;
  batch_id: string | null;
  collects_until: Date | null;
}

interface IncreaseRequestTable {
  id: string;
  organization_id: string;
  requester_type: "member" | "api_key" | "admin_key" | "local_operator";
  requester_id: string;
  scope_type: ScopeType;
  scope_id: string;
  workspace_id: string | null;
  period: "daily" | "weekly" | "monthly";
  limit_nano_usd: bigint;
  amount_nano_usd: bigint;
  reason: string;
  status: Generated<"pending" | "approved" | "denied" | "withdrawn">;
  approved_nano_usd: bigint | null;
  answer: string | null;
  resolved_by_type: string | null;
  resolved_by_id: string | null;
  created_at: Date;
  resolved_at: Date | null;
}

interface SpendLimitRaiseTable {
  id: GeneratedAlways<bigint>;
  scope_type: ScopeType;
  scope_id: string;
  period: "daily" | "weekly" | "monthly";
  period_start: string;
  settled_nano_usd: bigint;
  amount_nano_usd: bigint | null;
  raised_at: Date;
}
