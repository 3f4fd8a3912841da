import { beforeEach, expect } from "vitest";
import type { HoldRefusal } from "#src/spend/ledger/hold-refusal.ts";
import type { NodeLeases } from "#src/spend/ledger/node-leases.ts";
import { makeLeaseNodes } from "./lease-nodes.ts";
import { beginRecord } from "./request-records.ts";

const { organizationId, workspaceId, apiKeyId } = beginRecord();
export const scope = { organizationId, workspaceId, apiKeyId };
export const COST = { costNanoUsd: 5n, unresolvedNanoUsd: 0n };

interface Stream {
  worst?: bigint;
  first?: bigint;
  usual?: bigint;
}

/** Makes new nodes before each test, and returns functions that start, change and end streams on them. */
export function useLeaseStreams() {
  let world = makeLeaseNodes();
  beforeEach(() => {
    world = makeLeaseNodes();
  });

  const limit = (amountNanoUsd: bigint, hold: "steps" | "whole" = "steps") =>
    world.setLimit({ organizationId, scopeId: workspaceId, amountNanoUsd, hold });
  const limitKey = (amountNanoUsd: bigint, hold: "steps" | "whole") => {
    const ofKey = { scopeType: "api_key", scopeId: apiKeyId } as const;
    return world.setLimit({ organizationId, ...ofKey, amountNanoUsd, hold });
  };

  /** Starts a stream that can cost 1,000, with a first hold of 10. */
  function startStream(node: NodeLeases, requestId: string, of: Stream = {}) {
    const {
      worst: amountNanoUsd = 1_000n,
      first: firstNanoUsd = 10n,
      usual: usualNanoUsd = 0n,
    } = of;
    const stream = { firstNanoUsd, usualNanoUsd };
    return node.hold({ requestId, scope, amountNanoUsd, stream }, world.now);
  }

  function hold(node: NodeLeases, requestId: string, amountNanoUsd: bigint) {
    return node.hold({ requestId, scope, amountNanoUsd }, world.now).kind;
  }

  function resize(node: NodeLeases, requestId: string, nanoUsd: bigint) {
    return node.resizeHold(requestId, nanoUsd, world.now);
  }

  function end(node: NodeLeases, requestId: string, costNanoUsd = COST.costNanoUsd) {
    const origin = { ...scope, startedAtMs: world.now.atMs };
    node.recordEnd(requestId, origin, { costNanoUsd, unresolvedNanoUsd: 0n });
  }

  const held = (node: NodeLeases) => node.view().states.map((state) => state.held);
  const reserved = (node: NodeLeases) => node.view().states.map((state) => state.reserved);
  const lackOf = (node: NodeLeases, requestId: string): HoldRefusal["reason"] | null =>
    node.findLack(requestId, world.now)?.reason ?? null;

  /** Starts a node with one stream that holds 10. */
  async function startNodeWithStream(of: Stream = {}): Promise<NodeLeases> {
    const node = await world.startNode("node_1");
    startStream(node, "req_s", of);
    await world.speakAll(node);
    expect(held(node)).toEqual([of.first ?? 10n]);
    return node;
  }

  return {
    get world() {
      return world;
    },
    limit,
    limitKey,
    startStream,
    hold,
    resize,
    end,
    held,
    reserved,
    lackOf,
    startNodeWithStream,
  };
}
