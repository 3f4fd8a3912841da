import type { Generated, GeneratedAlways } from "kysely";

// Rows and views of the spend ledger's balances and leases.

/** Scopes that every request has. */
export type OwnScopeType = "organization" | "workspace" | "api_key";
/** Scopes of rate limits. */
export type RateScopeType = OwnScopeType | "member" | "group" | "group_member";
/** Scopes with spend of their own. */
export type CountedScopeType = OwnScopeType | "member" | "group" | "tag";
/** Scopes of spend limits. `group_member` has no balances: it is the default limit of each member of a group. */
export type ScopeType = CountedScopeType | "group_member";
export type PeriodName = "daily" | "weekly" | "monthly";

export interface LedgerTables {
  balance: BalanceTable;
  exceeded_bound: ExceededBoundTable;
  balance_sum: BalanceSumView;
  counted_limit: CountedLimitTable;
  lease: LeaseTable;
  lease_draw: LeaseDrawTable;
  lease_left: LeaseLeftView;
  limit_overrun: LimitOverrunTable;
  lease_node: LeaseNodeTable;
  node_contact: NodeContactView;
}

interface BalanceTable {
  scope_type: ScopeType;
  scope_id: string;
  period: PeriodName;
  /** ISO date of the period's first day in UTC. db/pool.ts leaves `date` columns as text. */
  period_start: string;
  organization_id: string;
  settled_nano_usd: Generated<bigint>;
  leased_nano_usd: Generated<bigint>;
  unresolved_nano_usd: Generated<bigint>;
  /** Cost of requests beyond their holds, included in the settled amount. */
  overrun_nano_usd: Generated<bigint>;
  /** Spend settled beyond the strict limit in force. */
  limit_overrun_nano_usd: Generated<bigint>;
  /** Settled spend that was compared with the limit of `limit_revision`. */
  limit_compared_nano_usd: Generated<bigint>;
  limit_revision: Generated<bigint>;
  /** The settled amount has all counted spend. */
  is_complete: Generated<boolean>;
}

interface LeaseTable {
  node_id: string;
  /** "" for the node's lease of the balance, else the request with unresolved spend. */
  request_id: string;
  scope_type: ScopeType;
  scope_id: string;
  period: PeriodName;
  period_start: string;
  organization_id: string;
  /** Unresolved amount, or what is left of a lease as nodes of version 0.1 write it. Otherwise 0. */
  amount_nano_usd: bigint;
  unresolved_since: Date | null;
  /** Budget of a node's lease. Null: a row as nodes of version 0.1 write it, or an unresolved amount. */
  granted_nano_usd: Generated<bigint | null>;
}

/** View: rows of `lease` with what is left of each. */
type LeaseLeftView = Omit<LeaseTable, "granted_nano_usd">;

/** View: rows of `balance` with the leases of all nodes. */
type BalanceSumView = Omit<BalanceTable, "limit_compared_nano_usd" | "limit_revision">;

/** Last message of a node about its leases. */
interface LeaseNodeTable {
  node_id: string;
  epoch: Generated<bigint>;
  op: Generated<bigint>;
  expires_at: Date | null;
  limits_version: Generated<bigint>;
  seen_at: Generated<Date>;
  awaited_until: Date | null;
}

/** View: contact of nodes, from flushes and messages of all versions. */
interface NodeContactView {
  id: string;
  seen_at: Date;
  lease_expires_at: Date | null;
  limits_version: bigint;
  awaited_until: Date | null;
}

interface LeaseDrawTable {
  node_id: string;
  scope_type: ScopeType;
  scope_id: string;
  period: PeriodName;
  period_start: string;
  drawn_nano_usd: bigint;
}

/** Spend that settled beyond a strict limit, by minute. */
interface LimitOverrunTable {
  organization_id: string;
  scope_type: ScopeType;
  scope_id: string;
  period: PeriodName;
  period_start: string;
  minute_at: Date;
  overrun_nano_usd: bigint;
  /** Limit in force at the last overrun of the minute. */
  limit_nano_usd: bigint;
  /** Spend of the period after the last overrun of the minute. */
  settled_nano_usd: bigint;
  /** Requests that cost more than their holds, each with the cost beyond it. The first ones are named. */
  request_ids: Generated<string[]>;
  beyond_nano_usd: Generated<bigint[]>;
  /** Number of all requests that cost more than their holds. */
  beyond_requests: Generated<bigint>;
}

interface CountedLimitTable {
  scope_type: ScopeType;
  scope_id: string;
  period: PeriodName;
  id: GeneratedAlways<bigint>;
}

interface ExceededBoundTable {
  id: string;
  organization_id: string;
  kind: "model" | "tool";
  name: string;
  /** Tokens per second of a model, or tokens of the calls that read results of a tool. */
  observed: bigint;
  allowed: bigint;
  request_id: string;
  exceeded_at: Date;
}
