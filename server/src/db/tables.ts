import type { OrganizationRole, Rank, WorkspaceRole } from "@bursar/contract/permissions.ts";
import type { ColumnType, Generated, GeneratedAlways } from "kysely";
import type { AlertTables } from "./alert-tables.ts";
import type { AuthTables } from "./auth-tables.ts";
import type { GroupMemberSource, GroupTables } from "./group-tables.ts";
import type { LaptopTables } from "./laptop-tables.ts";
import type {
  LedgerTables,
  OwnScopeType,
  PeriodName,
  RateScopeType,
  ScopeType,
} from "./ledger-tables.ts";
import type { ManagedSettingsTables } from "./managed-settings-tables.ts";
import type { ObjectTables } from "./object-tables.ts";
import type { PreferenceTables } from "./preference-tables.ts";
import type { PriceTables } from "./price-tables.ts";
import type { ReviewTables } from "./review-tables.ts";
import type { ScimTables } from "./scim-tables.ts";
import type { StatementTables } from "./statement-tables.ts";
import type { TelemetryTables } from "./telemetry-tables.ts";
import type { UpstreamSettings, UpstreamTables } from "./upstream-tables.ts";
import type { UsageTables } from "./usage-tables.ts";

// Rows of `migrations/` for kysely. int8 columns are bigint (db/pool.ts sets the parser).

type Json<T> = ColumnType<T, string, string>;
type JsonDefault<T> = ColumnType<T, string | undefined, string>;
type Created = ColumnType<Date, Date | undefined, never>;

export type {
  GroupMemberSource,
  OwnScopeType,
  PeriodName,
  RateScopeType,
  ScopeType,
  UpstreamSettings,
};

export interface Tables
  extends AlertTables,
    AuthTables,
    GroupTables,
    LaptopTables,
    LedgerTables,
    ManagedSettingsTables,
    ObjectTables,
    PreferenceTables,
    PriceTables,
    ReviewTables,
    ScimTables,
    StatementTables,
    TelemetryTables,
    UpstreamTables,
    UsageTables {
  node: NodeTable;
  installation: { key: string; value: string };
  change_counter: { is_only_row: Generated<boolean>; value: bigint };
  incarnation: IncarnationTable;
  organization: {
    id: string;
    name: string;
    created_at: Created;
    has_first_alerts: Generated<boolean>;
    has_overrun_alert: Generated<boolean>;
    has_failover_alert: Generated<boolean>;
    has_bound_alert: Generated<boolean>;
    group_limit_mode: Generated<"highest" | "lowest">;
    billing_group_tag: Generated<string | null>;
    cost_center_tag: Generated<string | null>;
    login_notice: Generated<string | null>;
  };
  workspace: WorkspaceTable;
  api_key: ApiKeyTable;
  api_key_secret: ApiKeySecretTable;
  api_key_restriction: ApiKeyRestrictionTable;
  security_settings: SecuritySettingsTable;
  tag: { id: string; organization_id: string; name: string; value: string; created_at: Created };
  change_scope: { value: bigint; kind: ChangeScopeKind; id: string };
  admin_key: AdminKeyTable;
  spend_limit: SpendLimitTable;
  spend_limit_value: SpendLimitValueTable;
  member_default_limit: MemberDefaultLimitTable;
  member_default_rate: MemberDefaultRateTable;
  limits_version: { is_only_row: Generated<boolean>; value: bigint };
  rate_limit: RateLimitTable;
  rate_limit_value: RateLimitValueTable;
  rate_limits_version: { is_only_row: Generated<boolean>; value: bigint };
  rate_bucket: { rate_limit_id: string; kind: string; level: number; refilled_at: Date };
  spend_adjustment: SpendAdjustmentTable;
  usage_weeks: { is_only_row: Generated<boolean>; summed_before: Date };
  audit_head: AuditHeadTable;
  audit_event: AuditEventTable;
  journal_writer: JournalWriterTable;
  journal_record: { node_id: string; seq: bigint; line: Uint8Array };
  audit_checkpoint: AuditCheckpointTable;
  retired_audit_key: RetiredAuditKeyTable;
  claimed_change: ClaimedChangeTable;
  member: MemberTable;
  workspace_member: WorkspaceMemberTable;
  invite: InviteTable;
  invite_workspace: InviteWorkspaceTable;
  mail: MailTable;

  backup: BackupTable;
  held_key: HeldKeyTable;

  auth_verification: { id: string; identifier: string; value: string; expires_at: Date };
  auth_used_code: { user_id: string; code: string; used_at: Date };
}

interface IncarnationTable {
  value: bigint;
  id: string;
  system_identifier: string | null;
  timeline: bigint | null;
  reason: "first" | "timeline" | "system" | "rollback";
  details: Json<Record<string, unknown>>;
  raised_at: Generated<Date>;
}

interface NodeTable {
  id: string;
  journal_id: string;
  epoch: Generated<bigint>;
  flushed_seq: Generated<bigint>;
  folded_seq: Generated<bigint>;
  version: string;
  started_at: Generated<Date>;
  seen_at: Generated<Date>;
  lease_op: Generated<bigint>;
  lease_expires_at: Generated<Date | null>;
  limits_version: Generated<bigint>;
  /** Null: a version that does not publish it. */
  max_connections: Generated<number | null>;
  appends: Generated<boolean>;
  signs_rows: Generated<boolean>;
}

interface JournalWriterTable {
  node_id: string;
  journal_id: string;
  epoch: Generated<bigint>;
  last_seq: Generated<bigint>;
  beat: Generated<bigint>;
  is_whole: Generated<boolean>;
  is_adopted: Generated<boolean>;
  seen_at: Generated<Date>;
}

interface WorkspaceTable {
  id: string;
  organization_id: string;
  name: string;
  description: string | null;
  display_color: string;
  tags: Json<Record<string, string>>;
  tag_ranks: JsonDefault<Record<string, Rank>>;
  is_default: Generated<boolean>;
  created_at: Created;
  archived_at: Date | null;
}

export type KeyPurpose = "calls" | "playground" | "claude_code";

interface ApiKeyTable {
  id: string;
  organization_id: string;
  workspace_id: string;
  name: string;
  permission: "read" | "write" | "admin";
  status: Generated<"active" | "inactive" | "archived">;
  /** `playground`: see migrations/0016_playground.sql. `claude_code`: see migrations/0061_laptops.sql. */
  purpose: Generated<KeyPurpose>;
  created_by_type: string;
  created_by_id: string;
  created_at: Created;
  expires_at: Date | null;
  owner_member_id: string | null;
  allowed_models: string[] | null;
  allowed_addresses: string[] | null;
  archived_at: Date | null;
  lifetime_ends_at: Generated<Date | null>;
  archived_rank: Generated<Rank | null>;
  tags: JsonDefault<Record<string, string>>;
  tag_ranks: JsonDefault<Record<string, Rank>>;
  /** See migrations/0060_hand_over.sql. */
  contact_member_id: Generated<string | null>;
  /** See migrations/0063_forwarded_users.sql. */
  user_directory_id: Generated<string | null>;
  requires_user: Generated<boolean | null>;
  /** See migrations/0079_allowed_origins.sql. */
  allowed_origins: Generated<string[] | null>;
  mac: Uint8Array | null;
}

/** See migrations/0038_key_restrictions.sql. */
interface ApiKeyRestrictionTable {
  api_key_id: string;
  rank: Rank;
  is_disabled: Generated<boolean>;
  allowed_models: string[] | null;
  allowed_addresses: string[] | null;
  expires_at: Date | null;
  set_by_type: string;
  set_by_id: string;
  set_at: Date;
}

interface ApiKeySecretTable {
  id: GeneratedAlways<bigint>;
  api_key_id: string;
  hash: Uint8Array;
  hint: string;
  created_at: Date;
  valid_until: Date | null;
  last_used_at: Date | null;
  last_used_address: string | null;
  last_used_model: string | null;
  playground_session_id: string | null;
  auth_session_id: string | null;
  mac: Uint8Array | null;
}

/** Kind of cached key data that a change affects. */
export type ChangeScopeKind = "no_key" | "api_key" | "workspace" | "member" | "group";

interface AdminKeyTable {
  id: string;
  organization_id: string;
  name: string;
  /** `inactive`: restored from a backup, see the migration `backup`. */
  status: Generated<"active" | "inactive" | "revoked">;
  secret_hash: Uint8Array;
  partial_key_hint: string;
  created_by_type: string;
  created_by_id: string;
  created_at: Created;
  expires_at: Date | null;
  scopes: Generated<string[] | null>;
  allowed_addresses: Generated<string[] | null>;
  revoked_at: Date | null;
  last_used_at: Generated<Date | null>;
  last_used_address: Generated<string | null>;
  uses_noted_since: Generated<Date | null>;
  contact_member_id: Generated<string | null>;
  mac: Uint8Array | null;
}

interface RateLimitTable {
  id: string;
  organization_id: string;
  scope_type: RateScopeType;
  scope_id: string;
  model_group: string;
  requests_per_minute: number | null;
  input_tokens_per_minute: number | null;
  output_tokens_per_minute: number | null;
  revision: bigint;
  created_at: Created;
  updated_at: Generated<Date>;
}

interface LimitValueColumns {
  organization_id: string;
  scope_id: string;
  rank: Rank;
  set_by_type: string | null;
  set_by_id: string | null;
  set_at: Date;
}

interface MemberDefaultLimitTable {
  organization_id: string;
  member_id: string;
  period: PeriodName;
  rank: Rank;
  group_id: string;
  amount_nano_usd: bigint;
  enforcement: SpendLimitTable["enforcement"];
  open_ended_hold_nano_usd: bigint | null;
  unknown_features: Generated<"hold" | "refuse">;
  hold: Generated<"steps" | "whole">;
}

interface MemberDefaultRateTable {
  organization_id: string;
  member_id: string;
  model_group: string;
  kind: "requests" | "input_tokens" | "output_tokens";
  rank: Rank;
  group_id: string;
  per_minute: number;
}

interface SpendLimitValueTable extends LimitValueColumns {
  scope_type: ScopeType;
  period: PeriodName;
  amount_nano_usd: bigint;
  enforcement: SpendLimitTable["enforcement"];
  open_ended_hold_nano_usd: bigint | null;
  unknown_features: Generated<"hold" | "refuse">;
  hold: Generated<"steps" | "whole">;
}

interface RateLimitValueTable extends LimitValueColumns {
  scope_type: RateScopeType;
  model_group: string;
  requests_per_minute: number | null;
  input_tokens_per_minute: number | null;
  output_tokens_per_minute: number | null;
}

interface SecuritySettingsTable {
  organization_id: string;
  max_key_lifetime_days: number | null;
  max_keys_per_member: Generated<number | null>;
  raises_need_two_people: Generated<boolean>;
  second_factor: Generated<"off" | "admins" | "all">;
  session_hours: Generated<number | null>;
  session_idle_hours: Generated<number | null>;
  console_addresses: Generated<string[] | null>;
  min_password_length: Generated<number>;
  company_sign_in_only: Generated<boolean>;
}

interface SpendLimitTable {
  id: string;
  organization_id: string;
  scope_type: ScopeType;
  scope_id: string;
  period: PeriodName;
  amount_nano_usd: bigint;
  enforcement: "strict" | "soft" | "alert_only";
  created_at: Created;
  updated_at: Generated<Date>;
  version: Generated<bigint>;
  open_ended_hold_nano_usd: bigint | null;
  unknown_features: Generated<"hold" | "refuse">;
  hold: Generated<"steps" | "whole">;
  revision: Generated<bigint>;
  version_at: Generated<Date>;
}

interface SpendAdjustmentTable {
  id: string;
  organization_id: string;
  workspace_id: string;
  api_key_id: string;
  member_id: Generated<string>;
  group_ids: Generated<string>;
  tag_ids: Generated<string>;
  request_id: string;
  started_at: Date;
  cost_nano_usd: bigint;
  reason: string;
  created_at: Created;
}

interface AuditHeadTable {
  organization_id: string;
  seq: Generated<bigint>;
  hash: Uint8Array;
  keyed_from: bigint | null;
  retention_days: number | null;
  mac: Uint8Array | null;
}

interface AuditCheckpointTable {
  organization_id: string;
  seq: bigint;
  hash: Uint8Array;
  events: bigint;
  created_at: Date;
  mac: Uint8Array;
}

interface RetiredAuditKeyTable {
  organization_id: string;
  through_seq: bigint;
  key_sealed: Uint8Array;
}

interface ClaimedChangeTable {
  claim: Uint8Array;
  step: number;
  fingerprint: Uint8Array;
  result_sealed: Uint8Array;
  answer_sealed: Uint8Array | null;
  created_at: Date;
}

interface AuditEventTable {
  id: string;
  organization_id: string;
  seq: bigint;
  event: string;
  actor_type: string;
  actor_id: string;
  actor_name: string | null;
  actor_email: string | null;
  subject_type: string;
  subject_id: string;
  workspace_id: string | null;
  before: Json<unknown> | null;
  after: Json<unknown> | null;
  request_id: string;
  ip_address: string | null;
  user_agent: string | null;
  created_at: Date;
  previous_hash: Uint8Array;
  hash: Uint8Array;
}

interface MemberTable {
  id: string;
  organization_id: string;
  email: string;
  name: string;
  role: OrganizationRole;
  status: Generated<"active" | "deactivated" | "removed">;
  created_at: Created;
  last_active_at: Date | null;
  removed_at: Date | null;
  mac: Uint8Array | null;
}

interface WorkspaceMemberTable {
  workspace_id: string;
  member_id: string;
  role: Exclude<WorkspaceRole, "workspace_billing">;
  created_at: Created;
  mac: Uint8Array | null;
}

interface InviteTable {
  id: string;
  organization_id: string;
  email: string;
  role: OrganizationRole;
  token_hash: Uint8Array;
  invited_by_type: string;
  invited_by_id: string;
  created_at: Created;
  expires_at: Date;
  accepted_at: Date | null;
  member_id: string | null;
  revoked_at: Date | null;
  is_open: Generated<boolean>;
}

interface InviteWorkspaceTable {
  invite_id: string;
  workspace_id: string;
  role: Exclude<WorkspaceRole, "workspace_billing">;
}

interface MailTable {
  id: string;
  organization_id: string;
  kind: string;
  to_address: string;
  subject: string;
  body_sealed: Uint8Array | null;
  about_id: string | null;
  is_for_owner: Generated<boolean>;
  status: Generated<"queued" | "sent" | "failed" | "withdrawn">;
  attempts: Generated<number>;
  last_error: string | null;
  claimed_until: Date | null;
  created_at: Created;
  sent_at: Date | null;
}

interface BackupTable {
  id: GeneratedAlways<bigint>;
  made_at: Date;
  finished_at: Date;
  file_name: string;
  size_bytes: bigint;
  sha256: Uint8Array;
  requests: bigint;
  is_encrypted: boolean;
  has_secret: boolean;
  made_by_type: string;
  made_by_id: string;
}

interface HeldKeyTable {
  key_id: string;
  kind: "api_key" | "admin_key";
  organization_id: string;
  held_at: Date;
}
