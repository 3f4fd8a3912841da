import type { auditLogVerification } from "@bursar/contract/admin/audit-log.ts";
import type { z } from "zod";
import { describeLedger, type LedgerReport } from "./describe-ledger.ts";

// What the contract cannot know of a command: a shorter name, an example, how its answer reads. Everything here is optional;
// a route that is not named here is a command all the same.

export interface CommandStyle {
  group?: string;
  action?: string;
  aliases?: readonly string[];
  /** Fields of the body that may stand without a flag, after the ids; the last takes all that follow where it is a list. */
  positionals?: readonly string[];
  /** Fields of the body that the command itself sets. */
  fixed?: Readonly<Record<string, unknown>>;
  /** A field's flag, where another word is plainer. */
  flags?: Readonly<Record<string, string>>;
  summary?: string;
  /** What stands after `bursar`, the name included. */
  examples?: readonly string[];
  /** How long the server may say nothing. */
  timeoutMs?: number;
  /** What the answer of a check found, in a sentence; null where all is well. With a fault the command exits with 1. */
  findFault?: (answer: Record<string, unknown>) => string | null;
  /** Asks first, or not, where the general rule is wrong. */
  isDestructive?: boolean;
}

/** Name and aliases of a group by the name that its path gives. */
export const groupAliases: Readonly<
  Record<string, { name?: string; aliases?: readonly string[]; summary?: string }>
> = {
  "api-keys": { aliases: ["keys"], summary: "keys of a workspace, for the Claude API" },
  "admin-keys": { summary: "keys of the Admin API" },
  "alert-channels": { summary: "where messages about alerts go" },
  "alert-deliveries": { summary: "messages about alerts" },
  "alert-channel-deliveries": { name: "alert-deliveries" },
  "audit-events": { name: "audit" },
  "audit-log": { name: "audit" },
  audit: { summary: "the log of every change" },
  cost: { summary: "what usage cost" },
  invites: { summary: "invites to the organization" },
  ledger: { summary: "the balances of limits" },
  mail: { summary: "what the server has to send by mail" },
  members: { summary: "people of the organization" },
  "model-prices": { aliases: ["prices"], summary: "prices of models" },
  "model-groups": { summary: "models that share a rate limit" },
  nodes: { summary: "processes of the installation, and what they hold of limits" },
  organization: { summary: "the organization" },
  owners: { summary: "owners of the organization; on the server's own machine" },
  "rate-limits": { aliases: ["rates"], summary: "limits on requests and tokens per minute" },
  requests: { summary: "single requests, without what was said" },
  "security-settings": { aliases: ["security"], summary: "rules for the whole organization" },
  "spend-adjustments": { summary: "what spend was changed by, beside requests" },
  "spend-limits": { aliases: ["limits"], summary: "limits on what may be spent" },
  "unresolved-spend": { summary: "money whose fate is not known yet" },
  upstreams: { summary: "where Claude is called" },
  system: { summary: "what runs: versions, nodes, database, jobs" },
  usage: { summary: "tokens, requests and cost" },
  "workspace-limits": { summary: "monthly limits of workspaces" },
  "workspace-members": { summary: "people of a workspace" },
  workspaces: { summary: "workspaces of the organization" },
};

/** A log of ten million events takes minutes, and the server says nothing meanwhile. */
const VERIFY_TIMEOUT_MS = 3_600_000;

type Verification = z.output<typeof auditLogVerification>;

function describeBreak({ is_intact, first_broken: broken }: Verification): string | null {
  if (is_intact) return null;
  const id = broken?.audit_event_id ? ` (${broken.audit_event_id})` : "";
  return `THE AUDIT LOG IS NOT INTACT. First at event ${broken?.seq}${id}: ${broken?.reason}.`;
}

const styles: Readonly<Record<string, CommandStyle>> = {
  createWorkspace: {
    examples: ["workspaces create Research --description 'Papers and prototypes'"],
  },
  updateWorkspace: { examples: ["workspaces update Research --name Science --tags team=ai"] },
  archiveWorkspace: { examples: ["workspaces archive Research --yes"] },
  createApiKey: {
    examples: [
      "api-keys create CI --workspace Research",
      "api-keys create CI --workspace Research --permissions read --expires-at +90d",
      "api-keys create Ada --workspace Research --owner-member ada@example.com",
    ],
  },
  listApiKeys: {
    examples: ["api-keys list --workspace Research --all", "api-keys list --unused-days 90"],
  },
  rotateApiKey: { examples: ["api-keys rotate apikey_01AbCd --grace-period-seconds 86400"] },
  getOrganizationSettings: { action: "settings" },
  updateOrganization: {
    action: "rename",
    positionals: ["name"],
    examples: ["organization rename 'Acme Robotics'"],
  },
  sendTestMail: { positionals: ["to"], examples: ["mail test ada@example.com"] },
  updateApiKey: { summary: "Change an API key" },
  createAdminKey: { examples: ["admin-keys create CI --expires-at +90d"] },
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
    ],
  },
  deleteSpendLimit: { aliases: ["remove"] },
  listBlockingLimits: { group: "spend-limits", action: "blocking" },
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
    ],
  },
  deleteRateLimit: { aliases: ["remove"] },
  getEffectiveRateLimits: {
    examples: ["rate-limits effective --api-key-id apikey_01AbCd --model claude-sonnet-5"],
  },
  setWorkspaceLimit: {
    examples: [
      "workspace-limits set --workspace Research --monthly-limit-usd 100.00",
      "workspace-limits set --workspace Research --no-monthly-limit-usd",
    ],
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
  listMail: { aliases: ["outbox"] },
  createUpstream: {
    examples: [
      "upstreams create Anthropic --base-url https://api.anthropic.com --credential-file ./key",
    ],
  },
  createModelPrice: {
    positionals: ["model"],
    examples: ["model-prices create claude-sonnet-5 --input-usd 3 --output-usd 15"],
  },
  checkLedger: {
    group: "ledger",
    action: "check",
    timeoutMs: VERIFY_TIMEOUT_MS,
    findFault: (answer) => {
      // Each style is of one route: what comes is what that route answers. So below.
      const report = answer as unknown as LedgerReport;
      return report.is_correct ? null : describeLedger(report);
    },
  },
  verifyAuditLog: {
    action: "verify",
    summary: "Prove that no event was changed, added or removed; exits with 1 when one was",
    timeoutMs: VERIFY_TIMEOUT_MS,
    findFault: (answer) => describeBreak(answer as unknown as Verification),
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
    summary: "Make the one-time link that creates the first owner",
  },
  resetOwner: {
    positionals: ["email"],
    flags: { remove_two_factor: "two-factor" },
    examples: ["owners reset ada@example.com", "owners reset ada@example.com --two-factor"],
  },
};

/** Further commands of a route. */
const variants: Readonly<Record<string, readonly CommandStyle[]>> = {
  updateApiKey: [
    { action: "disable", summary: "Stop an API key for now", fixed: { status: "inactive" } },
    { action: "enable", summary: "Let a disabled API key work again", fixed: { status: "active" } },
    {
      action: "revoke",
      summary: "Stop an API key for good",
      fixed: { status: "archived" },
      isDestructive: true,
    },
  ],
};

export function styleOf(operationId: string): CommandStyle {
  return styles[operationId] ?? {};
}

export function variantsOf(operationId: string): readonly CommandStyle[] {
  return variants[operationId] ?? [];
}
