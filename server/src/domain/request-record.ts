import type { CutReason, FailoverReason, RequestClass } from "@bursar/contract/usage-shape.ts";
import type { PeriodName } from "./spend-period.ts";
import type { Cost, TokenUsage } from "./usage.ts";

/** Record in the journal before a request is sent. Exactly one `EndRecord` will follow. */
export interface BeginRecord {
  requestId: string;
  /** Milliseconds since the epoch on the database's clock. Determines the spend period permanently. */
  startedAtMs: number;
  organizationId: string;
  workspaceId: string;
  apiKeyId: string;
  /** Owner of the key at this time. Absent for a workspace's key and in records of older releases. */
  memberId?: string;
  /**
   * Groups of the owner, and tags of the workspace and the key, as of the request's start: sorted ids. Absent: none, and in
   * records of older releases.
   */
  groupIds?: readonly string[];
  tagIds?: readonly string[];
  requestedModel: string;
  isStream: boolean;
  /** Client family from a closed list: see `gateway/client-family.rule.ts`. */
  client: string;
  /** Labels that the client claims. Absent: none, and in records of older releases. */
  claimed?: ClaimedLabels;
  /**
   * Amount that strict limits hold, nano-USD. Stays unresolved if the request's end is never known. Absent without a
   * hold, and in records of older releases.
   */
  holdNanoUsd?: bigint;
  /** Limits with a smaller hold for an open-ended request. */
  smallerHolds?: readonly SmallerHold[];
  /** Features that may be billed by time can run, and no cost includes them. Absent: none. */
  hasUnbilledParts?: true;
}

/**
 * Labels that an agent sends about itself. Anyone with the credential can send any value, so they decide nothing. Texts are
 * printable and have at most 64 characters.
 */
export interface ClaimedLabels {
  agentSessionId: string;
  /** Prompt of the person. Requests of its subagents have the same one. */
  promptId?: string;
  agentId?: string;
  parentAgentId?: string;
  requestClass?: RequestClass;
}

export interface SmallerHold {
  scopeType: "organization" | "workspace" | "api_key" | "member" | "group" | "tag" | "group_member";
  period: PeriodName;
  /** Id of a group or tag. Absent: a request has one scope of this type. */
  scopeId?: string;
  nanoUsd: bigint;
}

/**
 * Outcome of a request.
 * - answered: a complete success.
 * - refused: a complete error from the upstream, cost 0.
 * - unreached: never sent to the upstream, cost 0.
 * - aborted: the client disconnected from a stream. The received part is the estimate.
 * - interrupted: sent, but cut off. Partial usage is the estimate. Without a 200 the cost is 0.
 */
export type Outcome = "answered" | "refused" | "unreached" | "aborted" | "interrupted";

/**
 * Reason why the cost of a request is doubtful, although the upstream may have billed it.
 * - impossible_usage: the reported usage cannot be true. Costs the hold, or the bound of one call without a hold.
 * - missing_usage: a 200 without usage. Costs its input. The rest of the hold is unresolved.
 * - incomplete_usage: a response that broke off after its input was known. The received part is the estimate.
 */
export type Doubt = "impossible_usage" | "missing_usage" | "incomplete_usage";

/**
 * End of a stream by a strict limit that holds it in steps. The stream settles at its bound, so its cost is an estimate.
 * - limit_spent: the limit has nothing left until its period ends.
 * - limit_held: the limit has budget, but other requests hold it.
 * - database_unavailable: the node could not ask for budget.
 */
export interface Cut extends Pick<SmallerHold, "scopeType" | "period"> {
  reason: CutReason;
  /** Id of the limit's scope, also of an organization. */
  scopeId: string;
  /** Amount that the limit held for the stream at the end, nano-USD. */
  heldNanoUsd: bigint;
  /** Output that the upstream had reported or sent. */
  seenOutputTokens: number;
  /** Output that the upstream can have billed by then. */
  boundOutputTokens: number;
  /** Time before the cut in which the node did not run, milliseconds. Absent: it ran. */
  pausedMs?: number;
  /** Last known amounts of the limit. Absent: unknown. */
  balance?: CutBalance;
}

/** Amounts of a limit when it cut a stream, nano-USD. */
export interface CutBalance {
  limitNanoUsd: bigint;
  settledNanoUsd: bigint;
  /** Held on all nodes, for running requests and in advance. */
  leasedNanoUsd: bigint;
  unresolvedNanoUsd: bigint;
}

/** End of a request, with its cost computed once. Contains all values of the usage tables. */
export interface EndRecord extends BeginRecord {
  endedAtMs: number;
  outcome: Outcome;
  /** Status that the client received. Null: none. */
  httpStatus: number | null;
  isEstimated: boolean;
  /** Absent: none, and in records of older releases. */
  doubt?: Doubt;
  /** Present if a spend limit ended the stream. */
  cut?: Cut;
  isUnpriced: boolean;
  /** Model for billing and reports: the response's, else the requested one. */
  model: string;
  serviceTier: string;
  contextWindow: ContextWindow;
  inferenceGeo: string;
  speed: string;
  usage: TokenUsage;
  cost: Cost;
  /** Applied price row as JSON, to explain the cost later. */
  prices: string;
  upstreamRequestId: string | null;
  /** Stored upstream that the request was sent to. Absent: of the environment, simulated, and in older records. */
  upstreamId?: string;
  /** Reason for which the first upstream of the order did not answer. Absent: it did. */
  failover?: FailoverReason;
  /** Time from `startedAtMs`, milliseconds, never beyond `endedAtMs`. Null: no response. */
  firstByteMs: number | null;
}

/** Names of the official reports. */
export type ContextWindow = "0-200k" | "200k-1M";
