import type { HoldRefusal } from "#src/spend/ledger/hold-refusal.ts";
import { label, periodOfKey } from "./model.ts";

// Fairness: no stream is cut after a later request took budget that the stream lacked.

/** A larger hold that a stream waits for. */
export interface StreamLack {
  /** Balance that lacks budget. Null: no limit explains the wait. */
  balance: Balance | null;
  reason: HoldRefusal["reason"] | null;
  /** Later request that took budget of this balance. */
  overtakenBy: Overtaking | null;
}

/** Limit in one of its periods. */
interface Balance {
  limitName: string;
  endMs: number;
}

interface Overtaking extends Balance {
  requestId: string;
  place: Admitted["place"];
}

/** A request that just got its holds. */
export interface Admitted {
  requestId: string;
  /** Balances in which its node holds it. */
  keys: readonly string[];
  /** Relation to the node of the stream, and source of the budget: the free part of the lease, or a grant. */
  place: "same_node" | "other_lease" | "other_grant";
}

export function toLack(found: HoldRefusal | null, before: StreamLack | null): StreamLack {
  const overtakenBy = before?.overtakenBy ?? null;
  return { balance: toBalance(found), reason: found?.reason ?? null, overtakenBy };
}

/**
 * Notes a request for a stream that lacks budget of one of its balances. `found`: present lack of the stream. Another node
 * can only know of the lack after the database has answered that others hold the rest.
 */
export function noteAdmission(
  lack: StreamLack,
  admitted: Admitted,
  { found, waitedMs }: { found: HoldRefusal | null; waitedMs: number },
): void {
  const { requestId, keys, place } = admitted;
  if (lack.overtakenBy?.place === "same_node") return;
  const isKnown = waitedMs > 0 && found?.reason === "held";
  if (place !== "same_node" && !isKnown) return;
  const balance = toBalance(found) ?? lack.balance;
  if (balance === null || !keys.some((key) => isOf(key, balance))) return;
  lack.overtakenBy = { requestId, place, ...balance };
}

/**
 * Finds the place of a request that overtook a stream which is cut now. Null: the cut is fair. Throws for a request of the
 * same node, which its ledger must have left waiting.
 */
export function findUnfairness(
  requestId: string,
  lack: StreamLack | null,
): Exclude<Admitted["place"], "same_node"> | null {
  const by = lack?.overtakenBy ?? null;
  const balance = lack?.balance ?? null;
  if (balance === null || by === null || by.limitName !== balance.limitName) return null;
  if (by.endMs !== balance.endMs) return null;
  if (by.place !== "same_node") return lack?.reason === "held" ? by.place : null;
  throw new Error(`${requestId} is cut, and ${by.requestId} took budget of ${label(by.limitName)}`);
}

function toBalance(lack: HoldRefusal | null): Balance | null {
  if (lack === null || lack.limit === null || lack.regainAtMs === null) return null;
  const { scopeType, scopeId, period } = lack.limit;
  return { limitName: `${scopeType}\n${scopeId}\n${period}`, endMs: lack.regainAtMs };
}

function isOf(key: string, { limitName, endMs }: Balance): boolean {
  return key.startsWith(`${limitName}\n`) && periodOfKey(key).endMs === endMs;
}
