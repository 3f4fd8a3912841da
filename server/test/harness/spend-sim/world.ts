import type { SpendScope } from "#src/spend/ledger/charges.ts";
import type { StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import { Failovers } from "./failovers.ts";
import { FoldWorkers } from "./fold-workers.ts";
import { Model } from "./model.ts";
import { Random } from "./random.ts";
import {
  type Admission,
  SimulatedNode,
  STREAM_TIMES,
  TIMES,
  type Times,
} from "./simulated-node.ts";
import type { BrokenRule } from "./simulated-streams.ts";
import type { SpendStore } from "./store.ts";
import { ExceededBounds } from "./stream-excess.ts";
import { KEEPS_BOUNDS, type Misbehaviour } from "./stream-rules.ts";

export const ORGANIZATION = "00000000-0000-4000-8000-000000000001";
export const SCOPES: readonly SpendScope[] = [
  ["wksp_a", "apikey_1"],
  ["wksp_a", "apikey_2"],
  ["wksp_b", "apikey_3"],
].map(([workspaceId = "", apiKeyId = ""]) => ({
  organizationId: ORGANIZATION,
  workspaceId,
  apiKeyId,
}));
/** The same keys with owners, groups and tags. One person has keys in two workspaces, and another one changes the group. */
export const PEOPLE_SCOPES: readonly SpendScope[] = [
  ["wksp_a", "apikey_1", "user_1", ["group_1", "group_2"], ["tag_1"]] as const,
  ["wksp_a", "apikey_2", "user_2", ["group_1"], undefined] as const,
  ["wksp_b", "apikey_3", "user_1", ["group_1", "group_2"], ["tag_1", "tag_2"]] as const,
  ["wksp_a", "apikey_2", "user_2", ["group_2"], ["tag_2"]] as const,
].map(([workspaceId, apiKeyId, memberId, groupIds, tagIds]) => ({
  organizationId: ORGANIZATION,
  ...{ workspaceId, apiKeyId, memberId, groupIds, tagIds },
}));
const LIMITS: readonly LimitKey[] = [
  { scopeType: "organization", scopeId: ORGANIZATION, period: "monthly" },
  { scopeType: "organization", scopeId: ORGANIZATION, period: "daily" },
  { scopeType: "workspace", scopeId: "wksp_a", period: "daily" },
  { scopeType: "workspace", scopeId: "wksp_b", period: "weekly" },
  { scopeType: "api_key", scopeId: "apikey_1", period: "monthly" },
].map((limit) => ({ organizationId: ORGANIZATION, id: idOf(limit), ...limit }) as LimitKey);
const PEOPLE_LIMITS: readonly LimitKey[] = [
  { scopeType: "member", scopeId: "user_1", period: "daily" },
  { scopeType: "group", scopeId: "group_1", period: "monthly" },
  { scopeType: "group", scopeId: "group_2", period: "daily" },
  { scopeType: "tag", scopeId: "tag_1", period: "weekly" },
  { scopeType: "workspace", scopeId: "wksp_a", period: "daily" },
].map((limit) => ({ organizationId: ORGANIZATION, id: idOf(limit), ...limit }) as LimitKey);

/** Id of a limit, as in the store over PostgreSQL. A limit that returns is another one for a node that saw its removal. */
function idOf(limit: { scopeType: string; scopeId: string; period: string }): string {
  return `spl_${limit.scopeType}_${limit.scopeId}_${limit.period}`;
}

/** Start of a run: 20 seconds before a day and a week end. The month ends a day later. */
const START_MS = Date.UTC(2026, 10, 29, 23, 59, 40);
/** Shares of steps about folds and about limits. Each run has its own, so that rare orders become common in some. */
const FOLD_SHARES = [0.05, 0.12, 0.3] as const;
const READ_SHARES = [0.2, 0.5] as const;
const LIMIT_SHARES = [0, 0, 0.05, 0.15] as const;
/** Share of runs with one key and few limits, where one number more is soon too much. */
const NARROW_SHARE = 0.4;
const NARROW_FLUSH_SHARE = 0.1;
const NARROW_ENTER_SHARE = 0.04;
/** Share of runs with large leases: half of the limits are high, and leases cover the spend of twenty minutes. */
const RICH_SHARE = 0.4;
/** Share of runs with limits of members, groups and tags. */
const PEOPLE_SHARE = 0.4;
const RICH_COVER_MS = 1_200_000;
/** Unit of amounts in runs with streams, which have the prices of the product: one cent. */
const CENT_NANO_USD = 10_000_000n;
/** Share of runs with streams that have faults, and of those whose provider breaks its bounds. */
const FAULTS_SHARE = 0.75;
const FAST_SHARE = 0.2;
const LARGE_SHARE = 0.2;
const FAST_TOOLS_SHARE = 0.2;

export interface SimulationOptions {
  seed: number;
  steps: number;
  /** Steps between two checks of the invariants. Default: 1. */
  checkEvery?: number;
  /** Whether many requests of one key sometimes arrive at once. Default: true. */
  hasBursts?: boolean;
  /** Share of steps that silence a node until unresolved spend is released. */
  silenceShare?: number;
  /** Share of steps that suspend a node's machine, or set its wall clock. */
  suspensionShare?: number;
  /** Whether nodes read the steady clock alone, without the rule for suspended machines. Default: false. */
  hasSteadyClocks?: boolean;
  /** Whether other steps run between the statements of a fold. Default: true. */
  hasOpenFolds?: boolean;
  /** Whether other steps run between the read and the write of a message. Default: true. */
  hasOpenDrafts?: boolean;
  /** Whether the database fails over in half of the runs. Default: true. */
  hasFailovers?: boolean;
  /** Whether members, groups and tags have limits. Default: in some runs. */
  hasPeople?: boolean;
  /** Whether streams run, which limits hold in steps. Default: false. */
  hasStreams?: boolean;
  /** Whether nodes stop, die or lose their connections. Default: in most runs with streams, and in all others. */
  hasFaults?: boolean;
  /** Way in which the provider breaks its bounds, and no other. Default: each one in some runs with faults. */
  misbehaviour?: keyof Misbehaviour;
  /** Whether limits change. Default: true. */
  hasLimitChanges?: boolean;
  /** Rule of holds in steps that the nodes break. Default: none. */
  brokenRule?: BrokenRule;
  /** Number of last steps that a failure reports. */
  lastSteps?: number;
  makeStore: () => Promise<SpendStore> | SpendStore;
}

/** Limit without an amount. */
export type LimitKey = Omit<StrictLimit, "amountNanoUsd">;

/** Random generators of one run. Each kind of step has its own, so that more steps of one kind leave the others the same. */
interface Generators {
  random: Random;
  bursts: Random;
  silences: Random;
  suspensions: Random;
  folds: Random;
  drafts: Random;
  sizes: Random;
  streaming: Random;
}

/** Nodes, database and clocks of one run, and the model that checks them. */
export interface World extends Generators {
  options: SimulationOptions;
  store: SpendStore;
  model: Model;
  nodes: readonly SimulatedNode[];
  workers: FoldWorkers;
  failovers: Failovers;
  time: { realMs: number; wallMs: number };
  scopes: readonly SpendScope[];
  limits: readonly LimitKey[];
  times: Times;
  /** Smallest amount of limits and requests, nano-USD. */
  unitNanoUsd: bigint;
  hasFaults: boolean;
  /** Ways in which the provider breaks its bounds. */
  misbehaviour: Misbehaviour;
  exceeded: ExceededBounds;
  /** Highest amount of each limit so far, by its name, nano-USD. */
  highestLimits: Map<string, bigint>;
  /** Whether some limits are high, and leases large. */
  isRich: boolean;
  /** Shares of steps about folds and about limits. */
  shares: { fold: number; read: number; limit: number; flush: number; enter: number };
}

/** Makes the world of a seed, at its start. Its nodes are not started. */
export function makeWorld(options: SimulationOptions, store: SpendStore): World {
  const { seed } = options;
  const generators = {
    random: new Random(seed),
    bursts: new Random(~seed),
    silences: new Random(seed + 1_000_003),
    suspensions: new Random(seed + 4_000_003),
    folds: new Random(seed + 2_000_003),
    drafts: new Random(seed + 3_000_003),
    sizes: new Random(seed + 5_000_003),
    streaming: new Random(seed + 8_000_003),
  };
  const isRich = generators.sizes.chance(RICH_SHARE);
  const hasPeople = options.hasPeople ?? new Random(seed + 7_000_003).chance(PEOPLE_SHARE);
  const run = pickRun(generators.folds, hasPeople);
  const time = { realMs: 0, wallMs: START_MS };
  const model = new Model();
  const times = options.hasStreams ? STREAM_TIMES : TIMES;
  const exceeded = new ExceededBounds();
  const nodes = makeNodes(options, { generators, model, isRich, times, exceeded });
  const { hasFaults, misbehaviour } = pickFaults(options, generators.streaming);
  const failovers = new Failovers({
    store,
    model,
    nodes,
    random: new Random(seed + 6_000_003),
    time,
    ttlMs: times.ttlMs,
    hasFailovers: hasFaults && (options.hasFailovers ?? true),
  });
  const workers = new FoldWorkers({
    store,
    model,
    random: generators.folds,
    time,
    hasOpenFolds: options.hasOpenFolds ?? true,
    connect: () => failovers.connect(null),
  });
  const unitNanoUsd = options.hasStreams ? CENT_NANO_USD : 1n;
  const parts = { store, model, nodes, workers, failovers };
  const facts = { options, time, times, isRich, unitNanoUsd, hasFaults, misbehaviour, exceeded };
  const highestLimits = new Map<string, bigint>();
  return { ...facts, highestLimits, ...parts, ...run, ...generators };
}

function pickFaults(
  { hasStreams = false, hasFaults, misbehaviour: only }: SimulationOptions,
  random: Random,
): Pick<World, "hasFaults" | "misbehaviour"> {
  const picked = !hasStreams || random.chance(FAULTS_SHARE);
  const has = hasFaults ?? picked;
  const isTooFast = random.chance(FAST_SHARE);
  const hasLargeResults = random.chance(LARGE_SHARE);
  const hasFastTools = random.chance(FAST_TOOLS_SHARE);
  if (only !== undefined) {
    return { hasFaults: has, misbehaviour: { ...KEEPS_BOUNDS, [only]: true } };
  }
  return {
    hasFaults: has,
    misbehaviour: {
      isTooFast: has && isTooFast,
      hasLargeResults: has && hasLargeResults,
      hasFastTools: has && hasFastTools,
    },
  };
}

/** Picks the keys and limits of a run, and its shares of steps. */
function pickRun(folds: Random, hasPeople: boolean): Pick<World, "scopes" | "limits" | "shares"> {
  const [scopes, limits] = hasPeople ? [PEOPLE_SCOPES, PEOPLE_LIMITS] : [SCOPES, LIMITS];
  const shares = {
    fold: folds.pick(FOLD_SHARES) ?? 0,
    read: folds.pick(READ_SHARES) ?? 0,
    limit: folds.pick(LIMIT_SHARES) ?? 0,
    flush: 0,
    enter: 0,
  };
  if (!folds.chance(NARROW_SHARE)) return { scopes, limits, shares };
  return {
    scopes: scopes.slice(0, 1),
    limits: limits.slice(0, 1 + folds.below(2)),
    shares: { ...shares, flush: NARROW_FLUSH_SHARE, enter: NARROW_ENTER_SHARE },
  };
}

function makeNodes(
  options: SimulationOptions,
  of: Pick<World, "model" | "isRich" | "times" | "exceeded"> & { generators: Generators },
): SimulatedNode[] {
  const { generators, model, isRich, times, exceeded } = of;
  const { random, suspensions, streaming } = generators;
  const nodes: SimulatedNode[] = [];
  const onAdmission = (by: SimulatedNode, admission: Admission) => {
    for (const node of nodes) node.recordAdmission(by, admission);
  };
  const count = 1 + random.below(4);
  for (let at = 0; at < count; at++) {
    const node = new SimulatedNode(`node_${at}`, model, {
      steadyOffsetMs: random.below(1_000_000),
      hasUptime: suspensions.chance(0.8),
      isSteadyOnly: options.hasSteadyClocks ?? false,
      coverMs: isRich ? RICH_COVER_MS : times.ttlMs,
      times,
      random: streaming,
      brokenRule: options.brokenRule ?? null,
      exceeded,
      onAdmission,
    });
    nodes.push(node);
  }
  return nodes;
}
