import type { Call } from "#src/access/call.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import { getMemberCaller } from "#src/domain/caller.ts";
import { checkVersion } from "#src/domain/check-version.ts";
import { isSame } from "#src/lib/is-same.ts";
import { checkSavedViews, checkTimeZone } from "./preferences.rule.ts";
import {
  findPreferences,
  lockMember,
  type PreferencesRow,
  savePreferences,
} from "./preferences.sql.ts";

const unset: PreferencesRow = { time_zone: null, date_format: null, saved_views: [], version: 0 };

export async function getPreferences(deps: AuditDeps, call: Call): Promise<PreferencesRow> {
  const member = getMemberCaller(call);
  return (await findPreferences(deps.database, member.id)) ?? unset;
}

/** Fields to change. Undefined: unchanged. */
export type PreferencesChange = {
  [Name in Exclude<keyof PreferencesRow, "version">]?: PreferencesRow[Name] | undefined;
} & { if_version?: number | undefined };

/** Changes preferences of the caller. Throws a 409 for another version, and a 400 for an unknown zone. */
export function updatePreferences(
  deps: AuditDeps,
  call: Call,
  { if_version, ...changed }: PreferencesChange,
): Promise<PreferencesRow> {
  const member = getMemberCaller(call);
  checkTimeZone(changed.time_zone);
  checkSavedViews(changed.saved_views);
  return auditedTransaction(deps, member, call.origin, async (tx) => {
    await lockMember(tx, member.id);
    const before = (await findPreferences(tx, member.id)) ?? unset;
    checkVersion("preferences", before, if_version);
    const after = apply(before, changed);
    if (isSame(after, before)) {
      return { result: before, audit: "unchanged" };
    }
    const row = { ...after, version: before.version + 1 };
    await savePreferences(tx, { memberId: member.id, organizationId: member.organizationId, row });
    return {
      result: row,
      audit: {
        event: "preferences.updated",
        subject: { type: "preferences", id: member.id },
        workspaceId: null,
        before: toAudit(before),
        after: toAudit(row),
      },
    };
  });
}

function apply(before: PreferencesRow, changed: PreferencesChange): PreferencesRow {
  const { time_zone, date_format, saved_views } = changed;
  return {
    time_zone: time_zone === undefined ? before.time_zone : time_zone,
    date_format: date_format === undefined ? before.date_format : date_format,
    saved_views: saved_views ?? before.saved_views,
    version: before.version,
  };
}

/** Views appear with their names only: an address can be long, and is not evidence of anything. */
function toAudit({ time_zone, date_format, saved_views }: PreferencesRow) {
  return { time_zone, date_format, saved_views: saved_views.map(({ name }) => name) };
}
