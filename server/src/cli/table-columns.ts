/**
 * Columns of a table as paths, by the contract's schema name of the entries. The most useful come first, because a
 * narrow terminal shows only those. Other entries show all their fields.
 */
const columns: Readonly<Record<string, string>> = {
  AdminKey: "id name status scopes partial_key_hint created_at expires_at",
  AgentSession:
    "id member_email api_key_name requests total_tokens cost_usd first_request_at last_request_at",
  Alert:
    "id name scope.type scope_name condition channels is_enabled muted_until last_fired_at firings_in_30_days",
  AlertFiring: "fired_at id alert scope.type scope_name threshold title acknowledged_at",
  AlertGroup:
    "last_fired_at severity kind scope.type scope_name firings title first_fired_at alerts id",
  ApiKey:
    "id name status stopped_because owner permissions spent_month_usd workspace_id expires_at last_used.at partial_key_hint",
  AuditEvent: "seq created_at event actor subject workspace_id ip_address id",
  BlockingLimit:
    "scope_name blocked_keys spend_limit.period spend_limit.limit_usd spend_limit.spent_usd spend_limit.period_ends_at spend_limit.id",
  LimitOverrun:
    "at overrun_usd limit_usd spent_usd request_count requests firings period_starts_at",
  LoggedRequest:
    "started_at id cut.reason cost_usd model status api_key_name workspace_name doubt total_tokens adjustment_usd latency_ms",
  IncreaseRequest:
    "id requester scope.type scope_name period limit_when_asked_usd amount_usd status reason spent_usd approved_usd answer resolved_by created_at",
  ExceededBound: "kind name observed_tokens allowed_tokens exceeded_at request_id id",
  Invite: "id email role status workspaces invited_by invited_at expires_at",
  Group: "id name source member_count allowed_models workspaces updated_at",
  GroupMember: "member_id email name source created_at",
  Laptop:
    "id name member.email status end_reason last_used.at client_version workspace_id created_at expires_at",
  Mail: "id created_at kind to subject status attempts last_error",
  LeftBehind: "member_id name email status things",
  ManagedSettingsVersion:
    "version id created_at created_by comment restored_version policy_count is_signed",
  Member: "id email name role status workspaces last_active_at",
  ModelGroup: "id display_name models",
  ModelPrice:
    "model aliases prices.input_usd prices.cache_read_usd prices.output_usd source lifecycle effective_from",
  MyLimit:
    "scope.type scope_name period limit_usd spent_usd remaining_usd enforcement blocks_now period_ends_at",
  NeutralFeature: "kind name effect source since is_in_prompt origin id",
  Node: "id is_silent last_seen_at leased_usd waiting_budget_usd unflushed_records journal version is_this_one",
  OwnedThing: "kind name duty workspace_id id",
  RateLimit:
    "id scope.type scope_name model_group requests_per_minute input_tokens_per_minute output_tokens_per_minute remaining.requests remaining.input_tokens remaining.output_tokens free_at",
  SpendLimit:
    "id scope.type scope_name period limit_usd spent_usd remaining_usd enforcement held_usd unresolved_usd member_count period_ends_at",
  Directory: "id name issuer is_enabled default_role",
  ScimToken: "id partial_token_hint status last_used_at expires_at created_at",
  StoredBatch:
    "upstream_batch_id status workspace_name api_key_name request_count recorded_requests cost_usd held_usd created_at ended_at id",
  StoredObject: "id kind name size_bytes workspace_name api_key_name created_at expires_at",
  Tag: "name value workspace_count api_key_count id created_at",
  TelemetryReceiver: "id name source state url signals last_relayed_at last_failure",
  Upstream: "id name base_url credential_hint updated_at",
  UsageRow:
    "starting_at workspace_id api_key_id member_id model requests errors input_tokens cache_read_tokens output_tokens cost_usd",
  Workspace: "id name description is_default created_at archived_at",
  WorkspaceLimit:
    "workspace_id workspace_name monthly_limit_usd spent_usd remaining_usd enforcement",
  WorkspaceMember: "member_id email name workspace_role inherited_from groups",
};

const HIDDEN = new Set(["type", "hash", "previous_hash", "html"]);

/** Paths of the columns of a table. */
export function chooseColumns(
  schemaName: string | undefined,
  rows: readonly Record<string, unknown>[],
): readonly string[] {
  const chosen = schemaName === undefined ? undefined : columns[schemaName]?.split(" ");
  const all = chosen ?? [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const shown = all.filter((path) => !HIDDEN.has(path));
  // A column without a value in any entry is omitted.
  return shown.filter((path) => rows.some((row) => !isEmpty(readPath(row, path))));
}

export function readPath(row: Record<string, unknown>, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (value, name) =>
        value !== null && typeof value === "object"
          ? (value as Record<string, unknown>)[name]
          : undefined,
      row,
    );
}

function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    value === "" ||
    (Array.isArray(value) && value.length === 0)
  );
}
