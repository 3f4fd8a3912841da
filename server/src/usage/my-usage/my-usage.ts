import type { ReportCall } from "#src/access/call.ts";
import { getPersonId } from "#src/access/own-api-key.ts";
import type { Tx } from "#src/db/pool.ts";
import type { PeriodName } from "#src/db/tables.ts";
import { periodOf, type SpendPeriod } from "#src/domain/spend-period.ts";
import { findUsageNames, type UsageNames } from "#src/recording/usage-names.sql.ts";
import {
  addSimulated,
  listPage,
  type ReportPage,
  sumRange,
} from "#src/usage/reports/read-report.ts";
import { inReport, type ReportRow, type UsageCounts } from "#src/usage/reports/report.sql.ts";
import type { ReportColumn } from "#src/usage/reports/report-tables.ts";
import { type UsageDeps, withMinutes } from "#src/usage/reports/usage.ts";

/** Highest number of entries in each list. */
const MAX_GROUPS = 100;
/** More than the hours of a day and the days of a month. */
const MAX_BUCKETS = 31;

export interface MyUsage {
  memberId: string;
  period: SpendPeriod;
  bucket: "1h" | "1d";
  totals: UsageCounts;
  buckets: readonly ReportRow[];
  models: readonly ReportRow[];
  apiKeys: readonly ReportRow[];
  workspaces: readonly ReportRow[];
  /** Empty if no request has a tag. */
  tags: readonly ReportRow[];
  names: UsageNames;
  dataAsOfMs: number;
}

/**
 * Returns the usage of the caller's personal keys in the current period. Requests have the owner of their key as a label, so
 * this needs no right in a workspace. Throws a 403 for a caller that is no person.
 */
export async function getMyUsage(
  deps: UsageDeps,
  { caller, reader }: ReportCall,
  periodName: PeriodName,
): Promise<MyUsage> {
  const memberId = getPersonId(caller);
  const period = periodOf(periodName, deps.nowMs());
  const { organizationId } = caller;
  const filter = withMinutes(deps, {
    organizationId,
    visible: { workspaceIds: null, own: null },
    values: { member_id: [memberId] },
  });
  const bucket = periodName === "daily" ? "1h" : "1d";
  const wanted = { filter, bucket, range: period, isOpenEnded: true } as const;
  return inReport(reader, async (tx) => {
    const whole = await addSimulated(tx, wanted);
    const models = await listByCost(tx, { ...whole, columns: ["model"] });
    const apiKeys = await listByCost(tx, { ...whole, columns: ["api_key_id"] });
    const workspaces = await listByCost(tx, { ...whole, columns: ["workspace_id"] });
    const tags = await listByCost(tx, { ...whole, columns: ["tag_id"] });
    const buckets = await listPage(tx, {
      ...whole,
      columns: [],
      order: { by: "time", isDescending: false },
      after: null,
      limit: MAX_BUCKETS,
    });
    return {
      memberId,
      period,
      bucket,
      totals: await sumRange(tx, whole),
      buckets,
      models,
      apiKeys,
      workspaces,
      tags: tags.some(({ tag_id: id = "" }) => id !== "") ? tags : [],
      names: await findUsageNames(tx, organizationId, [...apiKeys, ...workspaces, ...tags]),
      dataAsOfMs: reader.dataAsOfMs(),
    };
  });
}

function listByCost(
  tx: Tx,
  whole: Pick<ReportPage, "filter" | "range" | "isOpenEnded"> & {
    columns: readonly ReportColumn[];
  },
): Promise<ReportRow[]> {
  return listPage(tx, {
    ...whole,
    bucket: "none",
    order: { by: "cost", isDescending: true },
    after: null,
    limit: MAX_GROUPS,
  });
}
