import { z } from "zod";
import { queryList, timestamp } from "../fields.ts";
import { pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { reportGroups } from "../usage-shape.ts";
import {
  attributionFields,
  attributionFilters,
  exportFormat,
  groupFields,
  hasOverlappingRows,
  reportBuckets,
  reportFilters,
  reportRange,
  reportShape,
  tagNameQuery,
  usageMeasures,
} from "./report-fields.ts";

export const usageRow = z
  .object({
    starting_at: timestamp,
    ending_at: timestamp,
    ...groupFields,
    ...usageMeasures,
    ...attributionFields,
  })
  .meta({ id: "UsageRow" });

export const usageTotals = z.object(usageMeasures).meta({ id: "UsageTotals" });

/** Fields of every report that is not a file. */
export const reportAnswer = {
  next_page: z.string().nullable(),
  bucket: z.enum(reportBuckets),
  has_overlapping_rows: hasOverlappingRows,
  starting_at: timestamp,
  ending_at: timestamp,
  data_refreshed_at: timestamp.meta({
    description:
      "Time of the data, which includes requests that ended at least two seconds before.",
  }),
};

const usageGroupBy = queryList(z.enum(reportGroups)).meta({
  description: "Labels that split the rows. Repeat the parameter, or separate values by commas.",
});

const ranges =
  "Bounds are widened to whole buckets in UTC, or to whole hours without buckets. A range is at most 24 hours of 1m, 31 " +
  "days of 1h, 366 days of 1d buckets or without buckets. A bucket without requests has no row.";

export const getUsage = route({
  operationId: "getUsage",
  method: "GET",
  path: "/v1/admin/usage",
  summary: "Get usage and cost",
  description:
    `Returns one row per bucket and group. ${ranges} \`totals\` covers the whole range, not the page. A request appears within two ` +
    "seconds of its end, in the bucket of its start.",
  action: "usage:read",
  audited: null,
  isReport: true,
  query: z.strictObject({
    ...pageCursorQuery,
    ...reportRange,
    ...reportShape,
    group_by: usageGroupBy,
    tag_name: tagNameQuery,
    ...reportFilters,
    ...attributionFilters,
  }),
  response: z.object({ data: z.array(usageRow), totals: usageTotals, ...reportAnswer }),
});

export const exportUsage = route({
  operationId: "exportUsage",
  method: "GET",
  path: "/v1/admin/usage/export",
  summary: "Export usage and cost",
  description:
    `Exports all rows of the report as a file, oldest first. ${ranges} CSV cells that a spreadsheet would read as a ` +
    "formula begin with an apostrophe.",
  action: "usage:read",
  audited: null,
  isReport: true,
  query: z.strictObject({
    format: exportFormat,
    ...reportRange,
    bucket: reportShape.bucket,
    group_by: usageGroupBy,
    tag_name: tagNameQuery,
    ...reportFilters,
    ...attributionFilters,
  }),
  response: usageRow,
  streams: ["text/csv", "application/x-ndjson"],
});

export const usageRoutes = [getUsage, exportUsage] as const;
