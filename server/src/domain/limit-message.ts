import { formatUsd } from "./money.ts";
import { formatRegainAccess, type PeriodName } from "./spend-period.ts";

type WireScope =
  | "organization"
  | "workspace"
  | "api_key"
  | "member"
  | "group"
  | "tag"
  | "group_member";

export interface ReachedLimit {
  scopeType: WireScope;
  scopeId: string;
  /** Name of a group or tag, before its id. */
  scopeName?: string | null;
  period: PeriodName;
  limitNanoUsd: bigint;
  spentNanoUsd: bigint;
  /** End of the period, milliseconds since the epoch. Requests are accepted again from then on. */
  regainAtMs: number;
}

/**
 * Refusal of a spent limit. The first sentence is the Claude API's, because tools recognize it. The scope, the amount
 * and the spend follow.
 */
export function formatLimitMessage(limit: ReachedLimit): string {
  return (
    `You have reached your specified ${officialScope[limit.scopeType]} usage limits. ` +
    `You will regain access on ${formatRegainAccess(limit.regainAtMs)}. ` +
    `${nameLimit(limit)} is ` +
    `$${formatUsd(limit.limitNanoUsd)}; spent: $${formatUsd(limit.spentNanoUsd)}.`
  );
}

/** Subject of a sentence about a limit: its period and scope. */
export function nameLimit({ scopeType, scopeId, scopeName, period }: AskableLimit): string {
  const scope = scopeName ? `${scopeName} (${scopeId})` : scopeId;
  return scopeType === "member"
    ? `Your personal ${period} spend limit (member ${scopeId})`
    : `The ${period} spend limit of ${plainScope[scopeType]} ${scope}`;
}

/** Fields of a limit in an increase request. */
export type AskableLimit = Pick<ReachedLimit, "scopeType" | "scopeId" | "scopeName" | "period">;

/**
 * Last sentence of such a message. `publicUrl` is the console's address without a trailing slash. Null: only the client
 * knows the address.
 */
export function describeIncreaseRequest(limit: AskableLimit, publicUrl: string | null) {
  const page = increaseRequestPath(limit);
  return publicUrl === null
    ? `To ask for a higher limit, send POST /v1/admin/spend_limit_increase_requests to this server, or open its console at ${page}`
    : `To ask for a higher limit, open ${publicUrl}${page}`;
}

/** Path of the console's form for an increase request. */
export function increaseRequestPath({
  scopeType,
  scopeId,
  period,
}: Omit<AskableLimit, "scopeName">): string {
  const id = scopeType === "organization" ? "" : `&id=${encodeURIComponent(scopeId)}`;
  return `/increase-requests/new?scope=${scopeType}${id}&period=${period}`;
}

const officialScope: Record<WireScope, string> = {
  organization: "API",
  workspace: "workspace API",
  api_key: "API key",
  member: "personal API",
  group: "group API",
  tag: "tag API",
  group_member: "personal API",
};

const plainScope: Record<WireScope, string> = {
  organization: "organization",
  workspace: "workspace",
  api_key: "API key",
  member: "member",
  group: "group",
  tag: "tag",
  group_member: "each member of group",
};
