import { haveSameChain, type SpendScope } from "./charges.ts";
import type { Waiter } from "./hold-queue.ts";
import { findHoldAmount } from "./hold-refusal.ts";
import type { GrantRequest } from "./lease-rules.ts";
import type { LeaseState } from "./lease-table.ts";

/** Highest number of waiting requests whose needs one message sums. */
const MAX_COVERED = 5_000;

export interface GrantRequestSources {
  /** Requests that the message asks for, in order of arrival. */
  asked: readonly Waiter[];
  /** All waiting requests, in order of arrival. */
  waiting: Iterable<Waiter>;
  chainOf: (waiter: Waiter) => readonly LeaseState[];
  /** Unused part of the lease after the message, nano-USD. */
  freeOf: (state: LeaseState) => bigint;
  /** Budget that the lease should have, with held amounts, nano-USD. */
  wantedOf: (state: LeaseState) => bigint;
}

/**
 * Returns the grant requests of a message, in order of arrival. Earlier requests use the free part of a lease first, and
 * later ones ask for the missing amount. The preferred amount covers later requests and expected traffic too, so that one
 * message serves a burst.
 */
export function makeGrantRequests({
  asked,
  waiting,
  chainOf,
  freeOf,
  wantedOf,
}: GrantRequestSources): GrantRequest[] {
  const needed = sumNeeds(waiting, chainOf);
  const free = new Map<string, bigint>();
  return asked.map((waiter) => ({
    requestId: waiter.requestId,
    entries: chainOf(waiter).map((state) => {
      const amountNanoUsd = findHoldAmount(state.limit, waiter);
      const left = free.get(state.text) ?? freeOf(state);
      const lacks = left >= amountNanoUsd ? 0n : amountNanoUsd - left;
      free.set(state.text, lacks === 0n ? left - amountNanoUsd : 0n);
      const needs = needed.get(state.text) ?? 0n;
      const later = needs > amountNanoUsd ? needs - amountNanoUsd : 0n;
      needed.set(state.text, later);
      const missing = wantedOf(state) - state.held - left - lacks;
      return {
        key: state.text,
        minimumNanoUsd: lacks,
        preferredNanoUsd: lacks + (later > missing ? later : missing),
      };
    }),
  }));
}

/** Amount that the first `MAX_COVERED` requests need of each balance, by its key, nano-USD. */
function sumNeeds(
  waiting: Iterable<Waiter>,
  chainOf: GrantRequestSources["chainOf"],
): Map<string, bigint> {
  const needed = new Map<string, bigint>();
  const chains = new Map<string, { scope: SpendScope; states: readonly LeaseState[] }>();
  let covered = 0;
  for (const waiter of waiting) {
    covered += 1;
    if (covered > MAX_COVERED) break;
    const { scope } = waiter;
    const known = chains.get(scope.apiKeyId);
    const isKnown = known !== undefined && haveSameChain(known.scope, scope);
    const chain = isKnown ? known : { scope, states: chainOf(waiter) };
    chains.set(scope.apiKeyId, chain);
    for (const { text, limit } of chain.states) {
      needed.set(text, (needed.get(text) ?? 0n) + findHoldAmount(limit, waiter));
    }
  }
  return needed;
}
