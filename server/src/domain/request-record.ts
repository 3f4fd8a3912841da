import type { PeriodName } from "./spend-period.ts";
import type { Cost, TokenUsage } from "./usage.ts";

/** Written to the journal before a request is dispatched: from here on it will end in exactly one `EndRecord`. */
export interface BeginRecord {
  requestId: string;
  /** Milliseconds since the epoch on the database's clock. It fixes the spend period, for ever. */
  startedAtMs: number;
  organizationId: string;
  workspaceId: string;
  apiKeyId: string;
  /** The person whose key it is at this moment; absent for a workspace's own key and in records of older releases. */
  memberId?: string;
  requestedModel: string;
  isStream: boolean;
  /** Client family, from a closed list: see `gateway/client-family.rule.ts`. */
  client: string;
  /**
   * What strict limits held, in nano-USD: what stays unresolved when the request's end is never known. Absent where no
   * limit held anything, and in records of older releases.
   */
  holdNanoUsd?: bigint;
  /** The limits that chose to hold less than that, for an open-ended request. */
  smallerHolds?: readonly SmallerHold[];
}

export interface SmallerHold {
  scopeType: "organization" | "workspace" | "api_key";
  period: PeriodName;
  nanoUsd: bigint;
}

/**
 * How a request ended.
 * answered: a complete success. refused: a complete error from upstream, cost 0. unreached: never got to the upstream,
 * cost 0. aborted: the client left a stream; cost estimated from what was seen. interrupted: sent, and no usage was
 * ever seen; cost 0 and marked, or, when some usage was seen before the cut, that usage, estimated.
 */
export type Outcome = "answered" | "refused" | "unreached" | "aborted" | "interrupted";

/** The end of a request, with its cost computed once. Everything the usage tables need stands in it. */
export interface EndRecord extends BeginRecord {
  endedAtMs: number;
  outcome: Outcome;
  /** Status that the client got, or null when it got none. */
  httpStatus: number | null;
  isEstimated: boolean;
  isUnpriced: boolean;
  /** Model that is billed and reported: the response's, else the requested one. */
  model: string;
  serviceTier: string;
  contextWindow: ContextWindow;
  inferenceGeo: string;
  speed: string;
  usage: TokenUsage;
  cost: Cost;
  /** The price row that was used, as JSON text, so that an event can be explained later. */
  prices: string;
  upstreamRequestId: string | null;
  /** From `startedAtMs`, and so never after `endedAtMs`; null where nothing came. */
  firstByteMs: number | null;
}

/** Names of the official reports. */
export type ContextWindow = "0-200k" | "200k-1M";
