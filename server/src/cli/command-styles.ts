import type { auditLogVerification } from "@bursar/contract/admin/audit-log.ts";
import type { z } from "zod";
import { describeLedger, type LedgerReport } from "./describe-ledger.ts";

// Facts of a command that the contract lacks: a shorter name, an example, the format of its output. All of it is
// optional. A route without an entry is still a command.

export interface CommandStyle {
  group?: string;
  action?: string;
  aliases?: readonly string[];
  /** Body fields that need no flag, after the ids. The last one takes all remaining arguments if it is a list. */
  positionals?: readonly string[];
  /** Body fields whose argument is the path of a file with the value. */
  files?: readonly string[];
  /** Body fields that the command itself sets. */
  fixed?: Readonly<Record<string, unknown>>;
  /** Plainer names for flags, by field. */
  flags?: Readonly<Record<string, string>>;
  summary?: string;
  /** Example command lines without `bursar`. */
  examples?: readonly string[];
  /** Maximum silence of the server, milliseconds. */
  timeoutMs?: number;
  /** Fault in the response of a check, as a sentence. Null: none. With a fault the command exits with 1. */
  findFault?(answer: Record<string, unknown>): string | null;
  /** Further facts of the response, one sentence each. */
  listNotes?(answer: Record<string, unknown>): string[];
  /** Overrides the general rule for a confirmation. */
  isDestructive?: boolean;
}

/** Verifying a log of ten million events takes minutes without a response. */
const VERIFY_TIMEOUT_MS = 3_600_000;

/** The largest file of tags takes some seconds, on a slow machine a minute. */
const IMPORT_TIMEOUT_MS = 300_000;

type Verification = z.output<typeof auditLogVerification>;

function describeBreak(verification: Verification): string | null {
  const { is_intact, first_broken: broken } = verification;
  if (is_intact) return describeUnexplained(verification);
  const id = broken?.audit_event_id ? ` (${broken.audit_event_id})` : "";
  return `THE AUDIT LOG IS NOT INTACT. First at event ${broken?.seq}${id}: ${broken?.reason}.`;
}

/** Older servers do not compare rows with the log. */
function describeUnexplained({ unexplained = [] }: Partial<Verification>): string | null {
  if (unexplained.length === 0) return null;
  const lines = unexplained.map(({ type, id, workspace_id, reason, logged, stored }) => {
    const place = workspace_id === null ? "" : ` in ${workspace_id}`;
    if (reason === "unsigned") return `${type} ${id}${place}: written without the server, refused`;
    if (reason === "unlogged") return `${type} ${id}${place}: no event created it`;
    return `${type} ${id}${place}: ${reason} is ${stored}, and ${logged} in the log`;
  });
  return `THE LOG DOES NOT EXPLAIN:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

/** Older servers send no failovers. */
function describeFailovers({ failovers }: Partial<Verification>): string[] {
  return (failovers ?? []).map(({ at, from_seq, to_seq, lost_events, audit_event_id }) =>
    lost_events === 0
      ? `The database failed over at ${at}. The log lost no known event.`
      : `The database failed over at ${at} and went back from event ${from_seq} to event ${to_seq}. ` +
        `The event ${audit_event_id} lists known lost changes.`,
  );
}

const styles: Readonly<Record<string, CommandStyle>> = {
  getStatement: {
    examples: ["statements get 2026-10", "statements get 2026-10 --tag cost_center:4711"],
  },
  exportStatement: { examples: ["statements export 2026-10 --format focus_csv"] },
  listStatementRows: { examples: ["statement-rows list 2026-10 --group-by cost_center"] },
  updateStatementSettings: {
    examples: ["statement-settings update --cost-center-tag cost_center"],
  },
  createContractTerm: {
    examples: [
      "contract-terms create --from-month 2026-12 --discount-percent 12.5",
      "contract-terms create --from-month 2026-12 --model-family claude-opus --discount-percent 20",
    ],
  },
  createGroup: {
    examples: [
      "groups create Engineering",
      "groups create Interns --allowed-models 'claude-haiku-*'",
    ],
  },
  setGroupWorkspace: { action: "set" },
  setManagedSettings: {
    action: "set",
    examples: [
      "managed-settings set --policies @./policies.json --comment 'Deny reading of .env'",
      "managed-settings set --policies @./policies.json --if-version 3",
    ],
  },
  checkManagedSettings: {
    action: "check",
    examples: [
      "managed-settings check --policies @./policies.json --member ada@example.com",
      "managed-settings check --managed-settings-version-id settings_01AbCd",
    ],
  },
  getEffectiveManagedSettings: {
    action: "effective",
    examples: ["managed-settings effective --member ada@example.com"],
  },
  listManagedSettingsVersions: { group: "managed-settings", action: "versions" },
  getManagedSettingsVersion: {
    group: "managed-settings",
    action: "version",
    examples: ["managed-settings version settings_01AbCd"],
  },
  restoreManagedSettings: {
    group: "managed-settings",
    action: "restore",
    examples: ["managed-settings restore settings_01AbCd --comment 'Back to Monday'"],
  },
  addGroupMember: {
    positionals: ["email"],
    examples: ["group-members add Engineering ada@example.com"],
  },
  createWorkspace: {
    examples: ["workspaces create Research --description 'Papers and prototypes'"],
  },
  updateWorkspace: { examples: ["workspaces update Research --name Science --tags team=ai"] },
  listTags: { examples: ["tags list --name cost_center"] },
  exportTags: {
    examples: [
      "tags export --output tags.csv",
      "tags export --name cost_center --output costs.csv",
    ],
  },
  importTags: {
    positionals: ["csv"],
    files: ["csv"],
    timeoutMs: IMPORT_TIMEOUT_MS,
    examples: ["tags import ./tags.csv --dry-run", "tags import ./tags.csv"],
  },
  archiveWorkspace: { examples: ["workspaces archive Research --yes"] },
  createApiKey: {
    examples: [
      "api-keys create CI --workspace Research",
      "api-keys create CI --workspace Research --permissions read --expires-at +90d",
      "api-keys create Ada --workspace Research --owner-member ada@example.com",
    ],
  },
  getApiKeyTrends: {
    group: "api-keys",
    action: "trends",
    examples: ["api-keys trends --api-key-ids apikey_01AbCd,apikey_01EfGh"],
  },
  createApiKeys: {
    action: "create-many",
    examples: ["api-keys create-many --workspace Research --name-prefix ci- --count 20"],
  },
  disableApiKeys: {
    action: "disable-many",
    positionals: ["ids"],
    examples: ["api-keys disable-many apikey_01AbCd apikey_01EfGh"],
  },
  archiveApiKeys: {
    action: "revoke-many",
    positionals: ["ids"],
    examples: ["api-keys revoke-many apikey_01AbCd apikey_01EfGh --yes"],
  },
  listApiKeys: {
    examples: ["api-keys list --workspace Research --all", "api-keys list --unused-days 90"],
  },
  rotateApiKey: { examples: ["api-keys rotate apikey_01AbCd --grace-period-seconds 86400"] },
  getOrganizationSettings: { action: "settings" },
  updateOrganization: {
    action: "update",
    aliases: ["rename"],
    positionals: ["name"],
    examples: [
      "organization rename 'Acme Robotics'",
      "organization update --billing-group-tag cost_center",
      "organization update --no-billing-group-tag",
      "organization update --login-notice 'Activity is recorded. Questions: it@example.com'",
    ],
  },
  sendTestMail: { positionals: ["to"], examples: ["mail test ada@example.com"] },
  updateApiKey: { summary: "Change an API key" },
  createAdminKey: { examples: ["admin-keys create CI --expires-at +90d"] },
  acknowledgeAlertFirings: {
    group: "alert-groups",
    action: "acknowledge",
    positionals: ["alert_group_ids"],
    examples: [
      "alert-groups acknowledge agroup_spend_limit.workspace.wksp_… --note 'A load test.'",
    ],
  },
  previewAlert: {
    examples: [
      `alerts preview --scope workspace:Research --condition '{"kind":"spend_limit","thresholds":[{"percent":80}]}'`,
    ],
  },
  createAlert: {
    examples: [
      `alerts create 'Half spent' --scope workspace:Research --condition '{"kind":"spend_limit","thresholds":[{"percent":50}]}'`,
    ],
  },
  createAlertChannel: {
    examples: [
      `alert-channels create Owners --target '{"kind":"email","recipients":{"roles":["owner","admin"]}}'`,
    ],
  },
  setSpendLimit: {
    examples: [
      "spend-limits set --scope workspace:Research --period monthly --limit-usd 100",
      "spend-limits set --scope organization --period daily --limit-usd 500",
      "spend-limits set --scope tag:cost_center=4711 --period monthly --limit-usd 2000",
      "spend-limits set --scope workspace:Research --period monthly --limit-usd 100 --hold whole",
    ],
  },
  setGroupLimitMode: { positionals: ["mode"], examples: ["group-limit-mode set lowest"] },
  setRequestCost: {
    action: "set-cost",
    examples: [
      "requests set-cost req_01AbCd --cost-usd 0.02 --reason 'The console of the upstream says so'",
    ],
  },
  listRequests: {
    examples: [
      "requests list --status interrupted",
      "requests list --doubt impossible_usage,missing_usage",
      "requests list --is-cut",
    ],
  },
  listAgentSessions: {
    examples: [
      "agent-sessions list --starting-at -24h",
      "agent-sessions list --member ada@example.com",
    ],
  },
  getAgentSession: {
    action: "cost",
    examples: ["agent-sessions cost 6f9d8e0c-7a1b-4c3d-9e2f-0a1b2c3d4e5f"],
  },
  deleteSpendLimit: { aliases: ["remove"] },
  getMyUsage: { action: "show", examples: ["my-usage show --period weekly"] },
  listMyLimits: { group: "my-usage", action: "limits" },
  listBlockingLimits: { group: "spend-limits", action: "blocking" },
  listLimitForecasts: { group: "spend-limits", action: "forecasts" },
  listLimitOverruns: {
    ...{ group: "spend-limits", action: "overruns" },
    examples: ["spend-limits overruns spl_01AbCd"],
  },
  getSpendLimitCapacity: {
    ...{ group: "spend-limits", action: "capacity" },
    examples: ["spend-limits capacity spl_01AbCd"],
  },
  getEffectiveSpendLimits: {
    examples: [
      "spend-limits effective --api-key-id apikey_01AbCd",
      "spend-limits effective --member ada@example.com",
    ],
  },
  getPeriodSpend: {
    examples: [
      "spend-limits period-spend --workspace Research",
      "spend-limits period-spend --api-key-id apikey_01AbCd --period daily",
    ],
  },
  setRateLimit: {
    examples: [
      "rate-limits set --scope workspace:Research --requests-per-minute 600",
      "rate-limits set --scope organization --model-group opus_5 --output-tokens-per-minute 400000",
      "rate-limits set --scope group_member:Engineering --requests-per-minute 60",
    ],
  },
  deleteRateLimit: { aliases: ["remove"] },
  getEffectiveRateLimits: {
    examples: [
      "rate-limits effective --api-key-id apikey_01AbCd --model claude-sonnet-5",
      "rate-limits effective --member ada@example.com",
    ],
  },
  setWorkspaceLimit: {
    examples: [
      "workspace-limits set --workspace Research --monthly-limit-usd 100.00",
      "workspace-limits set --workspace Research --no-monthly-limit-usd",
    ],
  },
  getRefusals: {
    examples: [
      "refusals --group-by api_key,error_code",
      "refusals --starting-at -1h --bucket 1m --api-key-id apikey_01AbCd",
    ],
  },
  listRecentRefusals: {
    group: "refusals",
    action: "recent",
    examples: ["refusals recent --error-code rate_limited --workspace Research"],
  },
  getUsage: {
    examples: [
      "usage --group-by workspace,model",
      "usage --starting-at -24h --bucket 1h --workspace Research",
    ],
  },
  createInvites: {
    aliases: ["send"],
    positionals: ["emails"],
    examples: [
      "invites create ada@example.com alan@example.com --role developer --workspaces Research:developer",
    ],
  },
  addWorkspaceMember: {
    positionals: ["email"],
    examples: ["workspace-members add Research ada@example.com --workspace-role developer"],
  },
  updateMember: { examples: ["members update ada@example.com --role developer"] },
  listOwnedThings: {
    group: "members",
    action: "owned",
    examples: ["members owned ada@example.com"],
  },
  handOverThings: {
    flags: { new_owner_id: "to" },
    examples: [
      "members hand-over ada@example.com --to grace@example.com",
      "members hand-over ada@example.com --to grace@example.com --kinds access_review,alert_channel",
    ],
  },
  listLeftBehind: { group: "members", action: "left-behind" },
  listMail: { aliases: ["outbox"] },
  createDirectory: {
    examples: [
      "directories create Okta --issuer https://example.okta.com --allowed-domains example.com",
    ],
  },
  updateDirectory: {
    examples: [
      "directories update dir_01H8XQ --client-id 0oa1 --is-enabled",
      "directories update dir_01H8XQ --group-claim groups --group-mappings research:group_01H8XQ",
    ],
  },
  endMemberSession: {
    action: "end",
    isDestructive: false,
    examples: ["sessions end ada@example.com session_01H8XQ"],
  },
  endLaptop: { action: "end", isDestructive: false, examples: ["laptops end laptop_01H8XQ"] },
  unlinkMemberDirectory: {
    examples: ["linked-directories unlink ada@example.com dir_01H8XQ"],
  },
  createScimToken: { examples: ["scim-tokens create dir_01H8XQ"] },
  createTelemetryReceiver: {
    examples: [
      "telemetry-receivers create Grafana --url https://otel.example.com --headers @./headers.json",
      "telemetry-receivers create Costs --url https://otel.example.com --signals metrics",
    ],
  },
  updateTelemetryReceiver: {
    examples: ["telemetry-receivers update telrcv_01AbCd --headers @./headers.json"],
  },
  testTelemetryReceiver: { examples: ["telemetry-receivers test telrcv_01AbCd"] },
  listStoredBatches: {
    examples: [
      "batches list --workspace Research",
      "batches list --status in_progress,unresolved --starting-at -24h",
    ],
  },
  getStoredBatch: { examples: ["batches get msgbatch_01AbCd"] },
  cancelStoredBatch: { examples: ["batches cancel msgbatch_01AbCd --yes"], isDestructive: true },
  abandonStoredBatch: {
    isDestructive: true,
    examples: ["batches abandon msgbatch_01AbCd --yes --reason 'The account is closed'"],
  },
  listStoredObjects: {
    examples: [
      "stored-objects list --workspace Research",
      "stored-objects list --kind file,skill --all",
    ],
  },
  deleteStoredObject: { examples: ["stored-objects delete file_01AbCd --yes"] },
  createUpstream: {
    examples: [
      "upstreams create Anthropic --base-url https://api.anthropic.com --credential-file ./key",
    ],
  },
  setUpstreamOrder: { examples: ["upstream-order set --upstreams Main,Reserve"] },
  setWorkspaceUpstreamOrder: {
    examples: ["workspace-upstream-order set Research --upstreams Reserve,Main"],
  },
  createModelPrice: {
    positionals: ["model"],
    examples: ["model-prices create claude-sonnet-5 --input-usd 3 --output-usd 15"],
  },
  previewModelPrice: {
    positionals: ["model"],
    examples: ["model-prices preview claude-sonnet-5 --input-usd 3 --output-usd 15"],
  },
  setNeutralFeature: {
    positionals: ["kind", "name"],
    examples: [
      "neutral-features set field later --effect 'labels the request' --source https://platform.claude.com/docs/en/api/messages",
    ],
  },
  checkLedger: {
    group: "ledger",
    action: "check",
    timeoutMs: VERIFY_TIMEOUT_MS,
    findFault: (answer) => {
      // A style belongs to one route, so the response has that route's shape. The same holds below.
      const report = answer as unknown as LedgerReport;
      return report.is_correct ? null : describeLedger(report);
    },
  },
  verifyAuditLog: {
    action: "verify",
    summary: "Verify the log, and keys, roles and limits against it; exits with 1 otherwise",
    timeoutMs: VERIFY_TIMEOUT_MS,
    findFault: describeBreak,
    listNotes: describeFailovers,
  },
  exportAuditEvents: {
    examples: ["audit export --output audit.jsonl", "audit export --format csv --event api_key."],
  },
  setAuditRetention: { action: "set-retention" },
  forgetNode: {
    isDestructive: true,
    examples: ["nodes forget node_01AbCd --yes --reason 'The machine is gone'"],
  },
  createSetUpLink: {
    group: "setup-link",
    action: "",
    summary: "Create the one-time link for the first owner",
  },
  resetOwner: {
    positionals: ["email"],
    flags: { remove_two_factor: "two-factor" },
    examples: ["owners reset ada@example.com", "owners reset ada@example.com --two-factor"],
  },
};

/** Additional commands of a route. */
const variants: Readonly<Record<string, readonly CommandStyle[]>> = {
  updateApiKey: [
    { action: "disable", summary: "Disable an API key", fixed: { status: "inactive" } },
    { action: "enable", summary: "Enable a disabled API key", fixed: { status: "active" } },
    {
      action: "revoke",
      summary: "Revoke an API key permanently",
      fixed: { status: "archived" },
      isDestructive: true,
    },
  ],
};

export function findStyle(operationId: string): CommandStyle {
  return styles[operationId] ?? {};
}

export function listVariants(operationId: string): readonly CommandStyle[] {
  return variants[operationId] ?? [];
}
