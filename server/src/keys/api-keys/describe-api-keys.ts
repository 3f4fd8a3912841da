import type { AttentionIssue } from "@bursar/contract/key-issues.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { formatUsd } from "#src/domain/money.ts";
import { periodOf } from "#src/domain/spend-period.ts";
import { findRotationPolicies } from "#src/keys/rotation/rotation-policies.sql.ts";
import {
  computeRotationTimes,
  type RotationPolicy,
  type RotationTimes,
} from "#src/keys/rotation/rotation-policy.rule.ts";
import { findMaxKeyLifetimeDays } from "#src/people/security-settings/max-key-lifetime.sql.ts";
import { readSpend } from "#src/spend/ledger/balances.sql.ts";
import type { ApiKeyRow, StoredStatus } from "./api-keys.sql.ts";
import { type KeyTimes, listAttention } from "./key-attention.rule.ts";
import { computeLatestExpiry } from "./key-expiry.rule.ts";
import { listMonthlyLimits } from "./monthly-limits.sql.ts";
import { type RankedKey, readRankedKeys } from "./ranked-restrictions.ts";
import { listWorkingSecrets, type SecretRow } from "./secrets.sql.ts";

export type ApiKeyStatus = StoredStatus | "expired";

/** A key with the facts from other tables that its view shows. */
export interface ApiKeyView extends RankedKey {
  status: ApiKeyStatus;
  /** Newest first. */
  secrets: SecretRow[];
  spentMonthNanoUsd: bigint;
  exceedsMaxLifetime: boolean;
  /** Issues that someone should resolve. */
  attention: AttentionIssue[];
  /** Monthly spend limit of the key itself, US dollars. Null: none. */
  monthlyLimitUsd: number | null;
  /** Null without a rotation policy, for an archived or expired key, and for a Claude Code key. */
  rotation: RotationTimes | null;
}

/** Computed at each read from expiry and owner, so that a stopped key is never shown as active. */
export function statusOf(row: ApiKeyRow, nowMs: number): ApiKeyStatus {
  if (row.status === "archived") return "archived";
  if (row.expires_at !== null && row.expires_at.getTime() <= nowMs) return "expired";
  return row.owner_state === null || row.owner_state === "active" ? row.status : "inactive";
}

/** Adds secrets, spend and rotation times to keys of one organization, with six statements for any number of keys. */
export async function describeApiKeys(
  db: Database | Tx,
  organizationId: string,
  rows: readonly ApiKeyRow[],
  nowMs: number,
): Promise<ApiKeyView[]> {
  const ids = rows.map(({ id }) => id);
  const maxDays = await findMaxKeyLifetimeDays(db, organizationId);
  const working = await listWorkingSecrets(db, ids, new Date(nowMs));
  const secrets = Map.groupBy(working, ({ api_key_id }) => api_key_id);
  const spent = await readSpentOfMonth(db, organizationId, rows, nowMs);
  const policies = await findRotationPolicies(db, [
    ...new Set(rows.map(({ workspace_id }) => workspace_id)),
  ]);
  const limits = await listMonthlyLimits(db, { organizationId, apiKeyIds: ids });
  const keys = await readRankedKeys(db, rows);
  return keys.map(({ row, restrictions }) => ({
    row,
    restrictions,
    status: statusOf(row, nowMs),
    monthlyLimitUsd: toUsdNumber(limits.get(row.id)),
    attention: listAttention(toKeyTimes(row, maxDays, nowMs), nowMs),
    // No caller has the secret of a Claude Code key.
    secrets: row.purpose === "calls" ? (secrets.get(row.id) ?? []) : [],
    spentMonthNanoUsd: spent.get(row.id) ?? 0n,
    exceedsMaxLifetime: exceedsMaxLifetime(row, maxDays, nowMs),
    rotation: findRotationTimes(row, policies.get(row.workspace_id), nowMs),
  }));
}

function toKeyTimes(row: ApiKeyRow, maxDays: number | null, nowMs: number): KeyTimes {
  return {
    status: statusOf(row, nowMs),
    hasSecret: row.purpose === "calls",
    createdAt: row.created_at,
    secretCreatedAt: row.secret_created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    exceedsMaxLifetime: exceedsMaxLifetime(row, maxDays, nowMs),
  };
}

function toUsdNumber(nanoUsd: bigint | undefined): number | null {
  return nanoUsd === undefined ? null : Number(formatUsd(nanoUsd));
}

function findRotationTimes(
  row: ApiKeyRow,
  policy: RotationPolicy | undefined,
  nowMs: number,
): RotationTimes | null {
  const status = statusOf(row, nowMs);
  if (
    policy === undefined ||
    row.purpose !== "calls" ||
    status === "archived" ||
    status === "expired"
  )
    return null;
  return computeRotationTimes(row.secret_created_at.getTime(), policy);
}

export async function describeApiKey(
  db: Database | Tx,
  organizationId: string,
  row: ApiKeyRow,
  nowMs: number,
): Promise<ApiKeyView> {
  const [view] = await describeApiKeys(db, organizationId, [row], nowMs);
  return view as ApiKeyView;
}

async function readSpentOfMonth(
  db: Database | Tx,
  organizationId: string,
  rows: readonly ApiKeyRow[],
  nowMs: number,
): Promise<ReadonlyMap<string, bigint>> {
  const { start } = periodOf("monthly", nowMs);
  const places = rows.map((row) => ({
    organizationId,
    workspaceId: row.workspace_id,
    scopeType: "api_key" as const,
    scopeId: row.id,
    period: "monthly" as const,
    periodStart: start,
  }));
  const balances = await readSpend(db, places);
  return new Map(
    [...balances.values()].map(({ scopeId, settledNanoUsd }) => [scopeId, settledNanoUsd]),
  );
}

function exceedsMaxLifetime(row: ApiKeyRow, maxDays: number | null, nowMs: number): boolean {
  const latestMs = computeLatestExpiry({ fromMs: row.secret_created_at.getTime(), maxDays });
  if (latestMs === null || row.status === "archived" || row.purpose !== "calls") return false;
  const expiresAtMs = row.expires_at?.getTime() ?? Number.POSITIVE_INFINITY;
  return expiresAtMs > nowMs && expiresAtMs > latestMs;
}
