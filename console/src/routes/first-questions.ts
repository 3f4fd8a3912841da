import type { Action } from "@bursar/contract/permissions.ts";
import { defaultParseSearch } from "@tanstack/react-router";
import type { Answer, Input, Operation } from "../api-client.ts";
import { assignedReviewsQuery } from "../features/access-reviews/assigned-query.ts";
import { seesCompany } from "../features/overview/sees-company.ts";
import { blockingLimitsQuery, openAlertsQuery } from "../features/overview/triage-parts.ts";
import { toRequestsQuery } from "../features/requests/log-query.ts";
import { listReportQueries, type ReportKind, toReportInput } from "../kit/usage/report-input.ts";
import { type ReportSearch, readReportSearch } from "../kit/usage/search.ts";
import { resolveSearchRange } from "../kit/usage/search-range.ts";
import { fillPath, toListQuery, toLogQuery, toQueryText } from "../query-text.ts";

// Questions that the rail and a page ask first, so that early.ts can ask them while the page loads. Queries are made by the
// functions that the page uses, because the addresses must be equal.

/** Path of each operation, and the right without which no page asks. Null: everyone. */
export const firstOperations = {
  getAccessReview: ["/v1/admin/access_reviews/{access_review_id}", "access_reviews:read"],
  getBadges: ["/v1/admin/badges", "organization:read"],
  getCost: ["/v1/admin/cost", "usage:read"],
  getCostSummary: ["/v1/admin/cost/summary", "usage:read"],
  getOrganizationCounts: ["/v1/admin/organization/counts", "organization:read"],
  getUsage: ["/v1/admin/usage", "usage:read"],
  listAlertGroups: ["/v1/admin/alert_groups", "alerts:read"],
  listBlockingLimits: ["/v1/admin/spend_limits/blocking", "spend_limits:read"],
  listAccessReviewItems: [
    "/v1/admin/access_reviews/{access_review_id}/items",
    "access_reviews:read",
  ],
  listAssignedAccessReviews: ["/v1/admin/assigned_access_reviews", null],
  listApiKeys: ["/v1/admin/api_keys", "api_keys:read"],
  listLimitForecasts: ["/v1/admin/spend_limits/forecasts", "spend_limits:read"],
  listMembers: ["/v1/admin/members", "members:read"],
  listRequests: ["/v1/admin/requests", "usage:read"],
  listTags: ["/v1/admin/tags", null],
  listSpendLimits: ["/v1/admin/spend_limits", "spend_limits:read"],
  listWorkspaces: ["/v1/admin/workspaces", null],
} as const satisfies Partial<Record<Operation, readonly [path: string, right: Action | null]>>;

type FirstOperation = keyof typeof firstOperations;
/** An operation with its query and the parameters of its path. */
type Question = readonly [
  operation: FirstOperation,
  query?: object,
  params?: Record<string, unknown>,
];

interface Place {
  pathname: string;
  /** Query of the address, with its question mark. */
  search: string;
}

/** Rights of the session. */
interface Rights {
  permissions: readonly string[];
  workspaces: readonly { permissions: readonly string[] }[];
}

/** Returns the addresses of the questions that this member may ask. */
export function listFirstQuestions(place: Place, rights: Rights, nowMs: number): string[] {
  const may = (action: Action | null) =>
    action === null ||
    [rights, ...rights.workspaces].some(({ permissions }) => permissions.includes(action));
  const ofPage = place.pathname === "/" && !seesCompany(may) ? [] : listOfPage(place, nowMs);
  return [...ofPage, ...ofRail]
    .filter(([operation]) => may(firstOperations[operation][1]))
    .map(toAddress);
}

function toAddress([operation, query, params]: Question): string {
  return fillPath(firstOperations[operation][0], params) + toQueryText({ ...query });
}

/** Address of the counts, which decide the parts of the overview. */
export const badgesAddress = toAddress(["getBadges"]);

/** Returns the addresses of questions that a page asks if the counts of the rail have something. */
export function listNextQuestions({ pathname }: Place, badges: Answer<"getBadges">): string[] {
  if (pathname !== "/") return [];
  const { blocked_limits, alerts } = badges;
  const questions: Question[] = [];
  if (blocked_limits) questions.push(["listBlockingLimits", blockingLimitsQuery]);
  if (alerts) questions.push(["listAlertGroups", openAlertsQuery]);
  return questions.map(toAddress);
}

const listOf = <O extends FirstOperation>(
  operation: O,
  query: Input<O> extends { query?: infer Query } ? NonNullable<Query> : never,
  params: Input<O> extends { params: infer Params extends Record<string, unknown> }
    ? Params
    : Record<string, never> = {} as never,
): Question => [operation, toListQuery(query, null), params];

const ofRail: readonly Question[] = [["getBadges"], listOf("listWorkspaces", {})];

function listOfPage({ pathname, search }: Place, nowMs: number): readonly Question[] {
  // Filters in the address change most lists.
  const list = search === "" ? lists[pathname] : undefined;
  if (list) return list;
  const reviewId = REVIEW.exec(pathname)?.[1];
  if (reviewId !== undefined) return listOfReview(decodeURIComponent(reviewId));
  const fields = readReportSearch(defaultParseSearch(search));
  switch (pathname) {
    case "/usage":
      return listOfReport("usage", fields, nowMs);
    case "/cost":
      return listOfReport("cost", fields, nowMs);
    case "/requests":
      return fields.refused
        ? []
        : [["listRequests", toLogQuery(toRequestsQuery(fields, nowMs), null)]];
    default:
      return [];
  }
}

const lists: Readonly<Record<string, readonly Question[]>> = {
  "/": [["getOrganizationCounts"], ["listLimitForecasts"]],
  "/api-keys": [listOf("listApiKeys", {})],
  "/members": [listOf("listMembers", { omit_workspaces: true })],
  "/spend-limits": [listOf("listSpendLimits", { inherited: "false" })],
};

const REVIEW = /^\/access-reviews\/([^/]+)$/;

function listOfReview(id: string): Question[] {
  const params = { access_review_id: id };
  return [
    ["getAccessReview", {}, params],
    listOf("listAssignedAccessReviews", assignedReviewsQuery),
    listOf("listAccessReviewItems", {}, params),
  ];
}

function listOfReport(kind: ReportKind, search: ReportSearch, nowMs: number): Question[] {
  const input = toReportInput(kind, search, {});
  const { drawn, sums } = listReportQueries(input, resolveSearchRange(input.times, nowMs));
  const operation = kind === "usage" ? "getUsage" : "getCost";
  return [
    [operation, drawn],
    ...(sums === null ? [] : [[operation, sums] as const]),
    listOf("listTags", {}),
    ...(kind === "cost" ? [["getCostSummary", input.filters] as const] : []),
  ];
}
