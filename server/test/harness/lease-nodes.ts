import type { StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import type { SyncMessage } from "#src/spend/ledger/lease-rules.ts";
import { NodeLeases } from "#src/spend/ledger/node-leases.ts";
import { SOME_TIME_MS } from "./request-records.ts";
import { MemoryStore } from "./spend-sim/memory-store.ts";

// Leases of nodes over a store in memory, with a clock that stands still.

export const LEASE_TIMES = { ttlMs: 2_000, marginMs: 200, graceMs: 500, holdWaitMs: 1_000 };

export type TestLimit = Partial<StrictLimit> &
  Pick<StrictLimit, "organizationId" | "scopeId" | "amountNanoUsd">;

export function makeLeaseNodes() {
  const { ttlMs, graceMs, marginMs, holdWaitMs } = LEASE_TIMES;
  const store = new MemoryStore({ ttlMs, graceMs, releaseMs: 60_000 });
  const now = { nowMs: 1_000, atMs: SOME_TIME_MS };
  const nodes: NodeLeases[] = [];

  async function readLimits(): Promise<void> {
    const { limits, version } = await store.limits();
    for (const node of nodes) node.setLimits(limits, version);
  }

  return {
    store,
    now,
    readLimits,
    /** Sets the monthly limit of a workspace, or another one, which all nodes read at once. */
    async setLimit(limit: TestLimit): Promise<void> {
      const { scopeType = "workspace", scopeId, period = "monthly" } = limit;
      const id = `spl_${scopeType}_${scopeId}_${period}`;
      await store.setLimit({ id, scopeType, period, ...limit }, SOME_TIME_MS);
      await store.countLimits();
      await readLimits();
    },
    async removeLimit(limit: TestLimit): Promise<void> {
      await store.removeLimit({ id: "", scopeType: "workspace", period: "monthly", ...limit });
      await readLimits();
    },
    /** Creates a node that has sent its first message. */
    async startNode(nodeId: string, maxWaiting = 10): Promise<NodeLeases> {
      const node = new NodeLeases({ nodeId, ttlMs, marginMs, holdWaitMs, maxWaiting });
      const { epoch, flushedSeq } = await store.enter(nodeId);
      node.enter({ epoch, appendedSeq: flushedSeq, hasJournalGap: false });
      nodes.push(node);
      await readLimits();
      await this.speak(node);
      return node;
    },
    nextMessage(node: NodeLeases): SyncMessage {
      const message = node.nextMessage(now);
      if (message === null) throw new Error("the node has something to say");
      return message;
    },
    async speak(node: NodeLeases) {
      return node.applyAnswer(await store.sync(this.nextMessage(node), now.atMs), now);
    },
    /** Sends messages until the node has none, or eight. */
    async speakAll(node: NodeLeases) {
      const resolved = [];
      for (let message = 0; message < 8; message++) {
        const next = node.nextMessage(now);
        if (next === null) break;
        resolved.push(...node.applyAnswer(await store.sync(next, now.atMs), now));
      }
      return resolved;
    },
  };
}
