import {
  billedMeasures,
  costParts,
  type FailoverReason,
  toRequestClass,
} from "@bursar/contract/usage-shape.ts";
import type {
  BeginRecord,
  ClaimedLabels,
  Cut,
  EndRecord,
  SmallerHold,
} from "#src/domain/request-record.ts";
import { type Cost, noCost, noTokens, type TokenUsage } from "#src/domain/usage.ts";
import { joinIds } from "./join-ids.ts";
import type { BeginChanges, OwnEnd } from "./journal-record.ts";

// Fields of requests in journal records of version 2. Names have one or two letters, and usual values are left out, so
// that a request takes a third of the space. Names and usual values are part of the format and never change. Begins and
// ends are written by journal-json.ts.

/** Integer. A text if a JSON number would lose digits. */
type WireAmount = number | string;

/** All fields of a begin, or its changed fields. */
export interface WireBegin {
  id?: string | undefined;
  t?: number | undefined;
  o?: string | undefined;
  w?: string | undefined;
  a?: string | undefined;
  u?: string | undefined;
  /** Ids of groups and of tags, separated by commas. Nodes that do not know them ignore them. */
  g?: string | undefined;
  tg?: string | undefined;
  m?: string | undefined;
  st?: 0 | 1 | undefined;
  c?: string | undefined;
  /** Nodes that do not know them ignore them. */
  cl?: WireClaimedLabels | undefined;
  h?: WireAmount | undefined;
  /** Nodes that do not know it ignore it. */
  ub?: 1 | undefined;
  sh?: WireSmallerHold[] | undefined;
}

/** Agent session, prompt, agent, parent agent and class. */
interface WireClaimedLabels {
  s: string;
  p?: string | undefined;
  a?: string | undefined;
  pa?: string | undefined;
  c?: string | undefined;
}

/** The id is that of a group or tag. */
type WireSmallerHold = [
  scopeType: SmallerHold["scopeType"],
  period: SmallerHold["period"],
  amount: WireAmount,
  scopeId?: string,
];

interface WireCut {
  r: Cut["reason"];
  /** Type and id of the scope, and period. */
  s: [scopeType: Cut["scopeType"], scopeId: string, period: Cut["period"]];
  h: WireAmount;
  /** Output tokens: seen, bound. */
  o: [seen: number, bound: number];
  p?: number | undefined;
  /** Limit, settled, leased, unresolved. */
  b?: [WireAmount, WireAmount, WireAmount, WireAmount] | undefined;
}

export interface WireEnd {
  t: number;
  oc?: EndRecord["outcome"] | undefined;
  hs?: number | null | undefined;
  es?: 1 | undefined;
  /** Absent: none. Nodes that do not know it ignore it. */
  db?: EndRecord["doubt"];
  /** Absent: none. Nodes that do not know it ignore it. */
  ct?: WireCut | undefined;
  un?: 1 | undefined;
  md: string;
  ti?: string | undefined;
  cw?: EndRecord["contextWindow"] | undefined;
  ge?: string | undefined;
  sp?: string | undefined;
  us?: Record<string, number | null> | undefined;
  co: Record<string, WireAmount>;
  p?: string | number | undefined;
  up?: string | undefined;
  fb?: number | undefined;
  /** Stored upstream. */
  ui?: string | undefined;
  fo?: FailoverReason | undefined;
}

/** Values that are left out. */
export const usual = {
  outcome: "answered",
  httpStatus: 200,
  serviceTier: "standard",
  contextWindow: "0-200k",
  inferenceGeo: "not_available",
  speed: "standard",
  prices: "{}",
} as const;

export const measureKeys: Record<keyof TokenUsage, string> = {
  inputTokens: "i",
  cacheWrite5mTokens: "w",
  cacheWrite1hTokens: "h",
  cacheReadTokens: "r",
  outputTokens: "o",
  webSearches: "s",
};
export const costKeys: Record<keyof Cost, string> = {
  input: "i",
  cacheWrite5m: "w",
  cacheWrite1h: "h",
  cacheRead: "r",
  output: "o",
  webSearch: "s",
  total: "t",
};

/** Undefined fields are not written. */
export function changesToWire(record: BeginChanges): WireBegin {
  const { holdNanoUsd, smallerHolds, isStream } = record;
  return {
    t: record.startedAtMs,
    o: record.organizationId,
    w: record.workspaceId,
    a: record.apiKeyId,
    u: record.memberId,
    g: record.groupIds && joinIds(record.groupIds),
    tg: record.tagIds && joinIds(record.tagIds),
    m: record.requestedModel,
    st: isStream === undefined ? undefined : isStream ? 1 : 0,
    c: record.client,
    cl: record.claimed && claimedToWire(record.claimed),
    h: holdNanoUsd === undefined ? undefined : amountToWire(holdNanoUsd),
    ub: record.hasUnbilledParts ? 1 : undefined,
    sh: smallerHolds?.map(({ scopeType, period, nanoUsd, scopeId }) => {
      const hold: WireSmallerHold = [scopeType, period, amountToWire(nanoUsd)];
      if (scopeId !== undefined) hold.push(scopeId);
      return hold;
    }),
  };
}

function claimedToWire(claimed: ClaimedLabels): WireClaimedLabels {
  return {
    s: claimed.agentSessionId,
    p: claimed.promptId,
    a: claimed.agentId,
    pa: claimed.parentAgentId,
    c: claimed.requestClass,
  };
}

/** A class of a newer release is another one. */
function claimedFromWire({ s, p, a, pa, c }: WireClaimedLabels): ClaimedLabels {
  const claimed: ClaimedLabels = { agentSessionId: s };
  if (p !== undefined) claimed.promptId = p;
  if (a !== undefined) claimed.agentId = a;
  if (pa !== undefined) claimed.parentAgentId = pa;
  if (c !== undefined) claimed.requestClass = toRequestClass(c);
  return claimed;
}

export function changesFromWire(wire: WireBegin): BeginChanges {
  const changes: BeginChanges = {};
  if (wire.t !== undefined) changes.startedAtMs = wire.t;
  if (wire.o !== undefined) changes.organizationId = wire.o;
  if (wire.w !== undefined) changes.workspaceId = wire.w;
  if (wire.a !== undefined) changes.apiKeyId = wire.a;
  if (wire.m !== undefined) changes.requestedModel = wire.m;
  if (wire.st !== undefined) changes.isStream = wire.st === 1;
  if (wire.c !== undefined) changes.client = wire.c;
  if (wire.cl !== undefined) changes.claimed = claimedFromWire(wire.cl);
  if (wire.u !== undefined) changes.memberId = wire.u;
  if (wire.g) changes.groupIds = wire.g.split(",");
  if (wire.tg) changes.tagIds = wire.tg.split(",");
  if (wire.h !== undefined) changes.holdNanoUsd = BigInt(wire.h);
  if (wire.ub !== undefined) changes.hasUnbilledParts = true;
  if (wire.sh !== undefined) {
    changes.smallerHolds = wire.sh.map(([scopeType, period, amount, scopeId]) => {
      const hold: SmallerHold = { scopeType, period, nanoUsd: BigInt(amount) };
      return scopeId === undefined ? hold : { ...hold, scopeId };
    });
  }
  return changes;
}

export function beginFromWire(wire: Required<Pick<WireBegin, "id">> & WireBegin): BeginRecord {
  // A begin has all required fields.
  return { requestId: wire.id, ...changesFromWire(wire) } as BeginRecord;
}

export function endFromWire(wire: WireEnd): OwnEnd {
  return {
    endedAtMs: wire.t,
    outcome: wire.oc ?? usual.outcome,
    httpStatus: wire.hs === undefined ? usual.httpStatus : wire.hs,
    isEstimated: wire.es === 1,
    ...(wire.db !== undefined && { doubt: wire.db }),
    ...(wire.ct !== undefined && { cut: cutFromWire(wire.ct) }),
    isUnpriced: wire.un === 1,
    model: wire.md,
    serviceTier: wire.ti ?? usual.serviceTier,
    contextWindow: wire.cw ?? usual.contextWindow,
    inferenceGeo: wire.ge ?? usual.inferenceGeo,
    speed: wire.sp ?? usual.speed,
    usage: usageFromWire(wire.us),
    cost: costFromWire(wire.co),
    prices: wire.p ?? usual.prices,
    upstreamRequestId: wire.up ?? null,
    firstByteMs: wire.fb ?? null,
    ...(wire.ui !== undefined && { upstreamId: wire.ui }),
    ...(wire.fo !== undefined && { failover: wire.fo }),
  };
}

export function cutToWire(cut: Cut): WireCut {
  const { balance } = cut;
  return {
    r: cut.reason,
    s: [cut.scopeType, cut.scopeId, cut.period],
    h: amountToWire(cut.heldNanoUsd),
    o: [cut.seenOutputTokens, cut.boundOutputTokens],
    p: cut.pausedMs,
    b: balance && [
      amountToWire(balance.limitNanoUsd),
      amountToWire(balance.settledNanoUsd),
      amountToWire(balance.leasedNanoUsd),
      amountToWire(balance.unresolvedNanoUsd),
    ],
  };
}

function cutFromWire({ r, s, h, o, p, b }: WireCut): Cut {
  const [scopeType, scopeId, period] = s;
  const [seenOutputTokens, boundOutputTokens] = o;
  const limit = { scopeType, scopeId, period };
  const tokens = { seenOutputTokens, boundOutputTokens };
  const cut: Cut = { reason: r, ...limit, heldNanoUsd: BigInt(h), ...tokens };
  if (p !== undefined) cut.pausedMs = p;
  if (b !== undefined) {
    cut.balance = {
      limitNanoUsd: BigInt(b[0]),
      settledNanoUsd: BigInt(b[1]),
      leasedNanoUsd: BigInt(b[2]),
      unresolvedNanoUsd: BigInt(b[3]),
    };
  }
  return cut;
}

function usageFromWire(written: WireEnd["us"]): TokenUsage {
  if (written === undefined) return noTokens;
  const usage = { ...noTokens };
  for (const { name } of billedMeasures) usage[name] = written[measureKeys[name]] ?? 0;
  return usage;
}

function costFromWire(written: WireEnd["co"]): Cost {
  const cost = { ...noCost };
  for (const { cost: part } of costParts) {
    const amount = written[costKeys[part]];
    if (amount !== undefined) cost[part] = BigInt(amount);
  }
  cost.total = BigInt(written[costKeys.total] ?? 0);
  return cost;
}

function amountToWire(amount: bigint): WireAmount {
  const number = Number(amount);
  return Number.isSafeInteger(number) ? number : amount.toString();
}
