import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Tx } from "#src/db/pool.ts";
import type { PeriodName } from "#src/db/tables.ts";
import { newId } from "#src/lib/ids.ts";
import type { SaveDeps } from "#src/limits/limit-kind.ts";
import { type LimitValue, listApplying } from "#src/limits/limit-values.rule.ts";
import {
  deleteSpendLimits,
  listLimitsOfScopes,
  type NewSpendLimit,
  type SpendLimit,
  upsertSpendLimits,
} from "#src/spend/ledger/limits.sql.ts";
import type { WantedLimit } from "./combine-values.rule.ts";
import { listSpendValues } from "./limit-values.sql.ts";
import type { MemberDefault } from "./member-defaults.rule.ts";
import { storedSpendLimits } from "./stored-spend-limits.ts";

/** A limit in force of a member that a change of defaults has changed. Null: there is none. */
export interface ChangedMemberLimit {
  memberId: string;
  period: PeriodName;
  before: SpendLimit | null;
  after: SpendLimit | null;
}

/** Place of one limit in force. */
export type MemberPlace = Pick<ChangedMemberLimit, "memberId" | "period">;

interface Change {
  organizationId: string;
  places: readonly MemberPlace[];
  defaults: readonly MemberDefault[];
}

/**
 * Saves the limits in force at these places, and returns those that changed. `defaults` are all that apply to the members. The
 * limits of members are locked. Two statements for each thousand changed limits, because a group can have thousands of members.
 */
export async function saveMemberLimits(
  tx: Tx,
  deps: SaveDeps,
  { organizationId, places, defaults }: Change,
): Promise<ChangedMemberLimit[]> {
  const scopeIds = [...new Set(places.map(({ memberId }) => memberId))];
  const before = mapByPlace(
    await listLimitsOfScopes(tx, { organizationId, scopeType: "member", scopeIds }),
  );
  const values = await listSpendValues(tx, { organizationId, scopeIds });
  const own = Map.groupBy(
    values.filter(({ scopeType }) => scopeType === "member"),
    ({ scopeId, period }) => keyOfPlace({ memberId: scopeId, period }),
  );
  const inherited = Map.groupBy(defaults, keyOfPlace);
  const upserted: NewSpendLimit[] = [];
  const deletedIds: string[] = [];
  for (const place of places) {
    const name = keyOfPlace(place);
    const wanted = combineLimit(own.get(name) ?? [], inherited.get(name) ?? []);
    const limit = before.get(name) ?? null;
    if (wanted !== null && (limit === null || !storedSpendLimits.isSame(limit, wanted))) {
      upserted.push({ ...toNewLimit(deps, organizationId, place), ...wanted });
    }
    if (wanted === null && limit !== null) deletedIds.push(limit.id);
  }
  if (deletedIds.length > 0) await deleteSpendLimits(tx, { organizationId, ids: deletedIds });
  const after = mapByPlace(await upsertSpendLimits(tx, upserted));
  const deleted = new Set(deletedIds);
  return places.flatMap((place) => {
    const limit = before.get(keyOfPlace(place)) ?? null;
    const next = after.get(keyOfPlace(place)) ?? null;
    const isChanged = next !== null || (limit !== null && deleted.has(limit.id));
    return isChanged ? [{ ...place, before: limit, after: next }] : [];
  });
}

/** Limit in force: own values, with the defaults that apply beside them. Null: there is none. */
function combineLimit(
  own: readonly LimitValue<WantedLimit>[],
  defaults: readonly MemberDefault[],
): WantedLimit | null {
  const applying = listApplying(
    defaults,
    own.map(({ rank }) => rank),
  );
  const [first, ...others] = [...own, ...applying].map(({ wanted }) => wanted);
  return first === undefined ? null : storedSpendLimits.combine([first, ...others]);
}

function toNewLimit({ nowMs, randomBytes }: SaveDeps, organizationId: string, place: MemberPlace) {
  const { memberId: scopeId, period } = place;
  const id = newId(idPrefixes.spendLimit, nowMs(), randomBytes);
  return { id, organizationId, scopeType: "member" as const, scopeId, period };
}

function mapByPlace(limits: readonly SpendLimit[]): Map<string, SpendLimit> {
  return new Map(
    limits.map((limit) => [keyOfPlace({ memberId: limit.scopeId, period: limit.period }), limit]),
  );
}

export function keyOfPlace({ memberId, period }: MemberPlace): string {
  return `${memberId}\n${period}`;
}
