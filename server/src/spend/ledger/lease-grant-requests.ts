import { haveSameChain, type SpendScope } from "./charges.ts";
import type { Waiter } from "./hold-queue.ts";
import { findNeed } from "./hold-refusal.ts";
import type { HoldWish } from "./hold-wishes.ts";
import type { GrantRequest } from "./lease-rules.ts";
import type { LeaseState } from "./lease-state.ts";
import { listGrowth } from "./running-request.ts";

/** Highest number of waiting requests whose needs one message sums. */
const MAX_COVERED = 5_000;

export interface GrantRequestSources {
  /** Streams that need larger holds. */
  wished: readonly HoldWish[];
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
 * Returns the grant requests of a message: first those of streams, which may use the whole free part of a lease. Waiting
 * requests follow in order of arrival, and leave the reserve of all streams. Earlier requests use the free part of a lease
 * first, and later ones ask for the missing amount. The preferred amount covers later requests and expected traffic too, so
 * that one message serves a burst.
 */
export function makeGrantRequests(sources: GrantRequestSources): GrantRequest[] {
  const rests = new Map<string, Rest>();
  const restOf = (state: LeaseState) => {
    const rest = rests.get(state.text) ?? {
      free: sources.freeOf(state),
      reserved: state.reserved,
      held: state.held,
    };
    rests.set(state.text, rest);
    return rest;
  };
  const grown = sources.wished.map((wish) => requestGrowth(wish, restOf));
  return [...grown, ...requestHolds(sources, restOf)];
}

/** Amounts of a lease after the earlier grant requests of the message, nano-USD. */
interface Rest {
  free: bigint;
  reserved: bigint;
  held: bigint;
}

function requestGrowth(
  { requestId, stream, nanoUsd }: HoldWish,
  restOf: (state: LeaseState) => Rest,
): GrantRequest {
  const entries = listGrowth(stream, nanoUsd).map(({ state, growthNanoUsd, reserveNanoUsd }) => {
    const rest = restOf(state);
    const lacks = growthNanoUsd > rest.free ? growthNanoUsd - rest.free : 0n;
    rest.free += lacks - growthNanoUsd;
    rest.reserved -= reserveNanoUsd;
    rest.held += growthNanoUsd;
    return { key: state.text, minimumNanoUsd: lacks, preferredNanoUsd: lacks };
  });
  return { requestId, entries };
}

function requestHolds(
  { asked, waiting, chainOf, wantedOf }: GrantRequestSources,
  restOf: (state: LeaseState) => Rest,
): GrantRequest[] {
  const needed = sumNeeds(waiting, chainOf);
  return asked.map((waiter) => ({
    requestId: waiter.requestId,
    entries: chainOf(waiter).map((state) => {
      const amountNanoUsd = findNeed(state, waiter);
      const rest = restOf(state);
      // Negative: the lease lacks a part of the reserve too.
      const left = rest.free - rest.reserved;
      const lacks = left >= amountNanoUsd ? 0n : amountNanoUsd - left;
      rest.free += lacks - amountNanoUsd;
      const needs = needed.get(state.text) ?? 0n;
      const later = needs > amountNanoUsd ? needs - amountNanoUsd : 0n;
      needed.set(state.text, later);
      const missing = wantedOf(state) - rest.held - rest.reserved - left - lacks;
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
    for (const state of chain.states) {
      needed.set(state.text, (needed.get(state.text) ?? 0n) + findNeed(state, waiter));
    }
  }
  return needed;
}
