import type { ItemOf } from "../../queries.ts";
import { formatUsd, formatUtcDay, toUsdText } from "../../ui/format.ts";
import { nameLimit } from "../spend-limits/words.ts";

// Words for a refused request.

export type Refusal = ItemOf<"listRecentRefusals">;
type Limit = NonNullable<Refusal["facts"]["limit"]>;

interface RefusalExplanation {
  /** Sentence for people. */
  reason: string;
  /** Next step of the person who sent the request. */
  remedy: string;
  /** The limit, if an increase request can help. */
  limit: Limit | null;
  /** True: another person can change the cause. */
  needsHelp: boolean;
}

/** `rate_limited` becomes "Rate limited". */
export function nameCause(code: string): string {
  return code.charAt(0).toUpperCase() + code.slice(1).replaceAll("_", " ");
}

/** Explains a refusal to the person who sent the request. */
export function explainRefusal(refusal: Refusal): RefusalExplanation {
  const { facts, error_code: code, model, address } = refusal;
  if (facts.limit) return explainLimit(refusal, facts.limit);
  if (facts.rate_limit) {
    const { kind, per_minute } = facts.rate_limit;
    return {
      reason: `The rate limit of ${per_minute} ${kind.replace("_", " ")} a minute is reached.`,
      remedy: "Wait a minute, and send the request again.",
      limit: null,
      needsHelp: true,
    };
  }
  if (code === "model_not_allowed") {
    const name = model === null || model === UNNAMED_MODEL ? "this model" : model;
    const allowed = facts.allowed_models?.join(", ");
    return {
      reason: `The key cannot use ${name}.`,
      remedy: allowed ? `Use one of these models: ${allowed}.` : "Use another model.",
      limit: null,
      needsHelp: true,
    };
  }
  if (code === "address_not_allowed") {
    return {
      reason: `The key cannot be used from ${address ?? "this network address"}.`,
      remedy: "Send the request from an allowed address.",
      limit: null,
      needsHelp: true,
    };
  }
  const [reason, remedy] = words[code] ?? unknownWords;
  return { reason, remedy, limit: null, needsHelp: !ownCauses.includes(code) };
}

/** Name of all models that reports do not name. */
const UNNAMED_MODEL = "other";

const newKey = "Create another key.";
const sendAgain = "Send the request again in a minute.";
const words: Record<string, readonly [reason: string, remedy: string]> = {
  api_key_disabled: ["The key is disabled.", "Enable the key, or create another one."],
  api_key_expired: ["The key has expired.", newKey],
  api_key_archived: ["The key was revoked.", newKey],
  api_key_rotated: ["The key was rotated, and this secret has ended.", "Use the newest secret."],
  api_key_owner_inactive: [
    "The owner of the key has no access to its workspace.",
    "Ask for a role in the workspace.",
  ],
  api_key_workspace_archived: [
    "The workspace of the key is archived.",
    "Create a key in another workspace.",
  ],
  permission_denied: [
    "The key has no permission to send messages.",
    "Create a key with the permission “write”.",
  ],
  laptop_ended: ["The sign-in of this laptop has ended.", "Run /login in Claude Code."],
  access_token_expired: ["The sign-in has expired.", "Run /login in Claude Code."],
  request_cost_unbounded: [
    "The request has no highest cost, which a strict limit needs.",
    "Set max_tokens.",
  ],
  invalid_fields: ["Fields of the request are invalid.", "Compare the request with the code."],
  invalid_body: ["The body of the request is no JSON object.", "Compare it with the code."],
  invalid_header: ["A header of the request is invalid.", "Compare the request with the code."],
  budget_queue_full: ["Too many requests wait for budget.", sendAgain],
  share_exhausted: ["Other requests use the share of your workspace.", sendAgain],
  overloaded: ["The server is running its highest number of requests.", sendAgain],
  server_not_ready: ["The server is starting or stopping.", sendAgain],
  database_unavailable: ["The database of the server is unavailable.", sendAgain],
  upstream_unusable: [
    "The server cannot use its upstream.",
    "An administrator has to store the upstream again.",
  ],
  upstream_unreachable: ["The server could not reach the Claude API.", sendAgain],
};
const unknownWords = [
  "The server refused the request.",
  "The response in your client has the reason.",
] as const;

/** Causes that the person who sent the request can change alone. */
const ownCauses: readonly string[] = [
  "api_key_expired",
  "api_key_rotated",
  "laptop_ended",
  "access_token_expired",
  "request_cost_unbounded",
  "invalid_fields",
  "invalid_body",
  "invalid_header",
  "budget_queue_full",
  "share_exhausted",
  "overloaded",
  "server_not_ready",
];

function explainLimit(refusal: Refusal, limit: Limit): RefusalExplanation {
  const { error_code: code } = refusal;
  const { scope, period } = limit;
  const name = nameLimit({ scope, period, scopeName: findLimitName(refusal, limit) });
  const amounts = `${formatUsd(limit.spent_usd)} of ${formatUsd(toUsdText(limit.limit_usd))} spent`;
  const explanation = { limit, needsHelp: true };
  switch (code) {
    case "spend_limit_reached":
      return {
        ...explanation,
        reason: `${name} is used up: ${amounts}.`,
        remedy: `Request an increase, or wait until ${formatUtcDay(limit.period_ends_at)}.`,
      };
    case "request_too_large_for_limit":
      return {
        ...explanation,
        reason: `${name} has less left than the request can cost: ${amounts}.`,
        remedy: "Set a smaller max_tokens, use a cheaper model, or request an increase.",
      };
    case "unknown_features_refused":
      return {
        ...explanation,
        reason: `${name} refuses features of the request that this server does not know.`,
        remedy: "Leave the features out, or ask for another rule of the limit.",
        limit: null,
      };
    default:
      return {
        ...explanation,
        reason: `Other requests hold the rest of a limit. ${name}: ${amounts}.`,
        remedy: sendAgain,
      };
  }
}

/** Name of the scope of a limit. Null: unknown. */
export function findLimitName(refusal: Refusal, { scope, scope_name }: Limit): string | null {
  switch (scope.type) {
    case "workspace":
      return refusal.workspace_name;
    case "api_key":
      return refusal.api_key_name;
    default:
      return scope_name ?? null;
  }
}
