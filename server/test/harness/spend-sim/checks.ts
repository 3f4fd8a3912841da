import { findSpendable } from "#src/spend/ledger/lease-table.ts";
import { limitNameOfKey } from "./memory-fold.ts";
import { expectSame, label } from "./model.ts";
import type { Packets } from "./packets.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { Snapshot } from "./store.ts";
import type { World } from "./world.ts";

/** Part of a limit by which an overrun must grow for a further message. */
const NOTABLE_PART = 100n;

/** Invariants of all balances. Throws if one is broken. */
export async function checkBalances(world: World, snapshot: Snapshot): Promise<void> {
  const { nodes, time, failovers, model, store } = world;
  const spendable = new Map<string, bigint>();
  for (const node of nodes) {
    const { nowMs } = node.now(time);
    if (!node.isAlive || node.isExempt || node.leases.isExpired(nowMs)) continue;
    for (const state of node.leases.view().states) {
      const free = findSpendable(state);
      if (free > 0n) spendable.set(state.text, (spendable.get(state.text) ?? 0n) + free);
    }
  }
  const { inactiveLimits } = failovers;
  const activating = await store.activating();
  model.check({ snapshot, activating, inactiveLimits, spendable });
  await checkAlerts(world, snapshot);
}

/**
 * Every recorded overrun has its alert, and another one once it has doubled by a notable amount. This amount is 1 % of the
 * highest limit so far, because a limit can have changed since the fold.
 */
async function checkAlerts(
  { store, highestLimits }: World,
  { balances, alerted }: Snapshot,
): Promise<void> {
  for (const { scopeType, scopeId, period, amountNanoUsd } of (await store.limits()).limits) {
    const name = `${scopeType}\n${scopeId}\n${period}`;
    if (amountNanoUsd > (highestLimits.get(name) ?? 0n)) highestLimits.set(name, amountNanoUsd);
  }
  for (const [key, { overrun }] of balances) {
    if (overrun === 0n) continue;
    const told = alerted.get(key)?.firings.at(-1);
    if (told === undefined) throw new Error(`${label(key)}: no alert of ${overrun}`);
    const notable = (highestLimits.get(limitNameOfKey(key)) ?? 0n) / NOTABLE_PART;
    if (overrun < 2n * told || overrun - told < notable) continue;
    throw new Error(`${label(key)}: the last alert is of ${told}, and the overrun is ${overrun}`);
  }
}

/**
 * Invariant 2: no hold ends twice. A node that is not fenced never uses more than its leases. Its count of draws is the
 * database's count, plus the ends that no fold has counted.
 */
export function checkNodes({ nodes, failovers }: World, snapshot: Snapshot): void {
  if (failovers.isRaiseDue) return;
  const byNodeAndKey = new Map(snapshot.counters.map((row) => [`${row.nodeId}\n${row.key}`, row]));
  for (const node of nodes) {
    const stored = snapshot.nodes.get(node.id);
    if (!node.isAlive || stored?.epoch !== node.epoch) continue;
    const { pending } = node.leases;
    const isSame = stored.flushedSeq === node.flushedSeq && stored.foldedSeq === pending.foldedSeq;
    for (const state of node.leases.view().states) {
      const { text, held, granted, drawn, countId, key, startMs, endMs } = state;
      if (held < 0n) throw new Error(`${node.id} ${text}: a hold ended twice`);
      if (countId === null || snapshot.counts.get(limitNameOfKey(text)) !== countId) continue;
      const row = byNodeAndKey.get(`${node.id}\n${text}`);
      const [has, counted] = [row?.granted ?? 0n, row?.drawn ?? 0n];
      if (granted > has && granted > drawn) {
        throw new Error(`${node.id} ${label(text)}: uses ${granted} of ${has}`);
      }
      if (!isSame) continue;
      const rest = pending.sumOfDraws({ scopeId: key.scopeId, startMs, endMs });
      const unfolded = node.sumUnfolded(stored.foldedSeq, {
        scopeId: key.scopeId,
        startMs,
        endMs,
      });
      if (rest !== unfolded) expectSame(`${node.id} ${label(text)} pending`, rest, unfolded);
      if (drawn !== counted + rest) {
        expectSame(`${node.id} ${label(text)} drawn`, drawn, counted + rest);
      }
    }
  }
}

/** A node in contact has exactly its running requests, its pending spend and what it keeps as its leases. */
export async function checkQuietNode(
  { time, times, workers, store, failovers }: World,
  packets: Packets,
  node: SimulatedNode,
): Promise<void> {
  node.isPartitioned = false;
  node.handleAnswer(null, time);
  await packets.readLimits(node);
  if (node.leases.isFenced) return;
  await workers.countLimits();
  if (node.step !== null) await packets.flushNow(node, node.step);
  await workers.foldAll();
  await node.readFolded(store);
  time.realMs += times.ttlMs;
  // The first message opens leases, the second one corrects what a fold in between has changed.
  for (let round = 0; round < 3; round++) {
    const message = node.nextMessage(time);
    if (message === null) break;
    await failovers.connect(node);
    node.handleAnswer(await store.sync(message, time.wallMs), time);
    time.realMs += times.ttlMs;
  }
  if (node.leases.isFenced) return;
  const { leases } = await store.snapshot();
  for (const state of node.leases.view().states) {
    const { text, granted, drawn, key, startMs, endMs, limit } = state;
    if (limit === null) continue;
    const row = leases.find((each) => {
      return each.nodeId === node.id && each.key === text && each.requestId === "";
    });
    const pending = node.leases.pending.sumOfDraws({ scopeId: key.scopeId, startMs, endMs });
    expectSame(`${node.id} ${label(text)} leased`, row?.amount ?? 0n, granted - drawn + pending);
  }
}
