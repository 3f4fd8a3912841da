import { isSelfAction } from "@bursar/contract/permissions.ts";
import { route } from "@bursar/contract/route.ts";
import { adminRoutes } from "@bursar/contract/routes.ts";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { isCommand, listRouteCommands, nameOf } from "./route-commands.ts";

const commands = listRouteCommands();
const nameOfOperation = new Map(
  [...commands].reverse().map((command) => [command.route.operationId, nameOf(command)]),
);

test("every company route for keys or the operator is a command with a unique name", () => {
  const callable = adminRoutes.filter(
    ({ path, action }) =>
      path.startsWith("/v1/admin/") && action !== "public" && !isSelfAction(action),
  );
  expect(callable.length).toBeGreaterThan(30);
  expect(
    callable.map(({ operationId }) => operationId).filter((id) => !nameOfOperation.has(id)),
  ).toEqual([]);
  const names = commands.map(nameOf);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  // A name derived from the operation id would be hard to guess.
  expect(names.filter((name) => !/^[a-z]+(-[a-z]+)*( [a-z]+(-[a-z]+){0,2})?$/.test(name))).toEqual(
    [],
  );
});

test("routes for sign-in and for the caller's own account are no commands", () => {
  const others = adminRoutes.filter((each) => !isCommand(each));
  expect(others.map(({ operationId }) => operationId)).toContain("signIn");
  for (const { operationId } of others) expect(nameOfOperation.has(operationId)).toBe(false);
});

test.each([
  ["listWorkspaces", "workspaces list"],
  ["archiveWorkspace", "workspaces archive"],
  ["createApiKey", "api-keys create"],
  ["cutOffApiKey", "api-keys cut-off"],
  ["revokeAdminKey", "admin-keys revoke"],
  ["setSpendLimit", "spend-limits set"],
  ["setWorkspaceLimit", "workspace-limits set"],
  ["getUsage", "usage get"],
  ["verifyAuditLog", "audit verify"],
  ["exportAuditEvents", "audit export"],
  ["listAuditEvents", "audit list"],
  ["updateSecuritySettings", "security-settings update"],
  ["getOrganization", "organization get"],
  ["createInvites", "invites create"],
  ["addWorkspaceMember", "workspace-members add"],
  ["createSetUpLink", "setup-link"],
  ["resetOwner", "owners reset"],
  ["createResetLink", "members reset-link"],
])("%s is `%s`", (operationId, name) => {
  expect(nameOfOperation.get(operationId)).toBe(name);
});

describe("a new route gets a derived name", () => {
  const page = z.object({ data: z.array(z.object({})), next_page: z.string().nullable() });
  const make = (operationId: string, method: "GET" | "POST" | "DELETE", path: `/${string}`) =>
    route({
      operationId,
      method,
      path,
      summary: "",
      action: "system:read",
      audited: null,
      response: operationId.startsWith("list") ? page : z.object({}),
    });
  const routes = [
    make("listAlerts", "GET", "/v1/admin/alerts"),
    make("testAlert", "POST", "/v1/admin/alerts/{alert_id}/test"),
    make("listAlertFirings", "GET", "/v1/admin/alerts/firings"),
    make("getRequestLogSettings", "GET", "/v1/admin/request_log/settings"),
    make("updateRequestLogSettings", "POST", "/v1/admin/request_log/settings"),
    make("getCostSummary", "GET", "/v1/admin/cost/summary"),
    make("listReviewDecisions", "GET", "/v1/admin/access_reviews/{access_review_id}/decisions"),
    make("setReviewDecision", "POST", "/v1/admin/access_reviews/{access_review_id}/decisions"),
    make(
      "exportReviewDecisions",
      "GET",
      "/v1/admin/access_reviews/{access_review_id}/decisions/export",
    ),
    make("getPolicyRule", "GET", "/v1/admin/policies/{policy_id}/rules/{rule_id}"),
    make("listThings", "GET", "/v1/admin/things"),
    make("listThingsAgain", "GET", "/v1/admin/things"),
  ];
  test.each(
    listRouteCommands(routes).map((command) => [command.route.operationId, nameOf(command)]),
  )("%s", (operationId, name) => {
    const expected: Record<string, string> = {
      listAlerts: "alerts list",
      testAlert: "alerts test",
      listAlertFirings: "alert-firings list",
      getRequestLogSettings: "request-log-settings get",
      updateRequestLogSettings: "request-log-settings update",
      getCostSummary: "cost summary",
      listReviewDecisions: "access-review-decisions list",
      setReviewDecision: "access-review-decisions set",
      exportReviewDecisions: "access-review-decisions export",
      getPolicyRule: "policy-rules get",
      listThings: "things list",
      listThingsAgain: "things list-things-again",
    };
    expect(name).toBe(expected[operationId]);
  });
});
