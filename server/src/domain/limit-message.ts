import { formatUsd } from "./money.ts";
import { formatRegainAccess, type PeriodName } from "./spend-period.ts";

type LimitScope = "organization" | "workspace" | "api_key";

export interface ReachedLimit {
  scopeType: LimitScope;
  scopeId: string;
  period: PeriodName;
  limitNanoUsd: bigint;
  spentNanoUsd: bigint;
  /** End of the period, milliseconds since the epoch: from then on requests are taken again. */
  regainAtMs: number;
}

/**
 * The refusal of a spent limit. It begins with the official words (anthropic-api D.4), by which tools recognise it;
 * what follows says whose limit it is, how high, and what was spent.
 */
export function limitMessage(limit: ReachedLimit): string {
  return (
    `You have reached your specified ${officialScope[limit.scopeType]} usage limits. ` +
    `You will regain access on ${formatRegainAccess(limit.regainAtMs)}. ` +
    `The ${limit.period} spend limit of ${plainScope[limit.scopeType]} ${limit.scopeId} is ` +
    `$${formatUsd(limit.limitNanoUsd)}; spent: $${formatUsd(limit.spentNanoUsd)}.`
  );
}

const officialScope: Record<LimitScope, string> = {
  organization: "API",
  workspace: "workspace API",
  api_key: "API key",
};

const plainScope: Record<LimitScope, string> = {
  organization: "organization",
  workspace: "workspace",
  api_key: "API key",
};
