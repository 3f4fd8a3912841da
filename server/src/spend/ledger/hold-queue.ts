import type { ScopeType } from "#src/db/tables.ts";
import { type SpendScope, scopeIdsOf } from "./charges.ts";
import type { FullQueue, HoldAmount } from "./hold-refusal.ts";
import { KeyCounts } from "./key-counts.ts";

export interface HoldRequest extends HoldAmount {
  requestId: string;
  scope: SpendScope;
  /** Time for which the request has waited before, milliseconds. Its wait is shorter by that. */
  waitedMs?: number;
}

/** A request that waits for budget. Times: milliseconds on the node's monotonic clock. */
export interface Waiter extends HoldRequest {
  sinceMs: number;
  deadlineMs: number;
  /** Keys of balances that lack budget for the request, or that an earlier request waits for. */
  lacking: readonly string[];
}

/** A balance, with its key as text. */
export interface LackedBalance {
  text: string;
  key: { scopeId: string };
}

type FullScope = NonNullable<FullQueue["scope"]>;

interface Places {
  places: number;
  waiting: number;
}

interface Queued extends Waiter {
  /** Grows with each arrival. */
  order: number;
}

/**
 * Part of the places that a scope can take. The whole is the part of the wider scope that the others in it leave. So each
 * key, person, workspace and organization finds places, whatever the others do.
 */
const SHARE = 0.8;

/**
 * Requests that wait for budget, in order of arrival. Adding and removing take constant time, so a burst of 3,000
 * requests costs no more per request than a single one.
 */
export class HoldQueue {
  readonly #maxWaiting: number;
  readonly #waiters = new Map<string, Queued>();
  /** The same requests by the id of each of their scopes. */
  readonly #byScope = new Map<string, Map<string, Queued>>();
  /** Number of requests that wait for a balance, by the key of the balance. */
  readonly #lacks = new KeyCounts();
  #arrivals = 0;
  /** Order of the last request that `pick` returned while it had more API keys than places. */
  #pickedUpTo = 0;

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Finds the widest scope of the chain whose places are taken. Null: the request can be added. */
  findFull(scope: SpendScope): FullQueue | null {
    const all = { places: this.#maxWaiting, waiting: this.#waiters.size };
    if (all.waiting >= all.places) return { scope: null, waiting: all.waiting };
    const { organizationId, workspaceId, apiKeyId, memberId } = scope;
    const organization = this.#findPlaces("organization", organizationId, all);
    const workspace = this.#findPlaces("workspace", workspaceId, organization);
    const key = this.#findPlaces("api_key", apiKeyId, workspace);
    const nested = [organization, workspace, key];
    // The keys of a member can be in several workspaces. Groups and tags have no share: their members have.
    if (memberId !== undefined) nested.push(this.#findPlaces("member", memberId, organization));
    const full = nested.find(({ places, waiting }) => waiting >= places);
    return full === undefined ? null : { scope: full.scope, waiting: full.waiting };
  }

  /** Places of a scope inside a wider one, and its number of waiting requests. */
  #findPlaces(scopeType: ScopeType, scopeId: string, wider: Places): Places & { scope: FullScope } {
    const waiting = this.#sizeOf(scopeId);
    const places = Math.ceil((wider.places - (wider.waiting - waiting)) * SHARE);
    return { scope: { scopeType, scopeId }, places, waiting };
  }

  add(waiter: Waiter): void {
    this.#arrivals += 1;
    const queued = { ...waiter, order: this.#arrivals };
    this.#waiters.set(waiter.requestId, queued);
    for (const scopeId of scopeIdsOf(waiter.scope)) {
      const inScope = this.#byScope.get(scopeId) ?? new Map<string, Queued>();
      inScope.set(waiter.requestId, queued);
      this.#byScope.set(scopeId, inScope);
    }
    this.#lacks.replace(NO_KEYS, waiter.lacking);
  }

  /** Returns the removed request, or null if the request did not wait. */
  remove(requestId: string): Waiter | null {
    const waiter = this.#waiters.get(requestId);
    if (waiter === undefined) return null;
    this.#waiters.delete(requestId);
    for (const scopeId of scopeIdsOf(waiter.scope)) {
      const inScope = this.#byScope.get(scopeId);
      inScope?.delete(requestId);
      if (inScope?.size === 0) this.#byScope.delete(scopeId);
    }
    this.#lacks.replace(waiter.lacking, NO_KEYS);
    return waiter;
  }

  /** Replaces the amount of a waiting request, which keeps its place. Returns null if the request does not wait. */
  lower(requestId: string, { amountNanoUsd, isOpenEnded, stream }: HoldAmount): Waiter | null {
    const waiter = this.#waiters.get(requestId);
    if (waiter === undefined) return null;
    const isOpen = isOpenEnded === undefined ? {} : { isOpenEnded };
    return Object.assign(waiter, { amountNanoUsd, stream, ...isOpen });
  }

  find(requestId: string): Waiter | null {
    return this.#waiters.get(requestId) ?? null;
  }

  /** Lists the requests in order of arrival. */
  list(): Iterable<Waiter> {
    return this.#waiters.values();
  }

  /**
   * Tries the requests of one scope, or all, in order of arrival. `tryOne` returns null if the request is resolved, and
   * the request then leaves the queue. Otherwise it returns the balances without enough budget. They block their scopes:
   * later requests of a blocked scope are not tried.
   */
  serve(scopeId: string | null, tryOne: (waiter: Waiter) => readonly LackedBalance[] | null): void {
    const blocked = new Map<string, string>();
    const waiters = scopeId === null ? this.#waiters : this.#byScope.get(scopeId);
    for (const waiter of waiters?.values() ?? []) {
      const behind = findBlocked(waiter.scope, blocked);
      if (behind !== null) {
        this.#setLacking(waiter, [behind]);
        continue;
      }
      const lacked = tryOne(waiter);
      if (lacked === null) {
        this.remove(waiter.requestId);
        continue;
      }
      this.#setLacking(
        waiter,
        lacked.map(({ text }) => text),
      );
      for (const { text, key } of lacked) blocked.set(key.scopeId, text);
      if (scopeId !== null && blocked.has(scopeId)) break;
    }
  }

  /** True while a request waits for this balance. */
  hasWaiter(key: string): boolean {
    return this.#lacks.has(key);
  }

  /**
   * Returns at most `most` requests, in order of arrival, with an equal share for each API key. If there are more API keys
   * than places, successive calls rotate through the keys.
   */
  pick(most: number): Waiter[] {
    if (this.#waiters.size <= most) return [...this.#waiters.values()];
    const byKey = new Map<string, number>();
    for (const { scope } of this.#waiters.values()) byKey.set(scope.apiKeyId, 0);
    const share = Math.max(1, Math.floor(most / byKey.size));
    const first = [...this.#waiters.values()].filter(({ scope: { apiKeyId } }) => {
      const count = (byKey.get(apiKeyId) ?? 0) + 1;
      byKey.set(apiKeyId, count);
      return count <= share;
    });
    if (first.length <= most) return first;
    const next = first.filter(({ order }) => order > this.#pickedUpTo);
    const earlier = first.filter(({ order }) => order <= this.#pickedUpTo);
    const picked = [...next, ...earlier].slice(0, most);
    this.#pickedUpTo = picked.at(-1)?.order ?? 0;
    return picked.sort((a, b) => a.order - b.order);
  }

  #sizeOf(scopeId: string): number {
    return this.#byScope.get(scopeId)?.size ?? 0;
  }

  #setLacking(waiter: Queued, lacking: readonly string[]): void {
    this.#lacks.replace(waiter.lacking, lacking);
    waiter.lacking = lacking;
  }
}

const NO_KEYS: readonly string[] = [];

/** Key of a balance that blocks one of these scopes, or null. */
function findBlocked(scope: SpendScope, blocked: ReadonlyMap<string, string>): string | null {
  if (blocked.size === 0) return null;
  const { organizationId, workspaceId, apiKeyId, memberId, groupIds, tagIds } = scope;
  const inWider = blocked.get(organizationId) ?? blocked.get(workspaceId);
  const found = inWider ?? blocked.get(apiKeyId) ?? findOneBlocked(groupIds, blocked);
  if (found !== undefined) return found;
  const ofMember = memberId === undefined ? undefined : blocked.get(memberId);
  return ofMember ?? findOneBlocked(tagIds, blocked) ?? null;
}

function findOneBlocked(
  ids: readonly string[] | undefined,
  blocked: ReadonlyMap<string, string>,
): string | undefined {
  const id = ids?.find((each) => blocked.has(each));
  return id === undefined ? undefined : blocked.get(id);
}
