import { directoryRoles } from "@bursar/contract/admin/directories.ts";
import { type AdminRoute, adminRoutes } from "@bursar/contract/routes.ts";
import { expect, test } from "vitest";
import type { Browser } from "./harness/browser.ts";
import {
  change,
  h,
  newPerson,
  org,
  prepareDirectory,
  provider,
  signIn,
} from "./harness/directory-sign-in.ts";
import { insertGroup } from "./harness/groups.ts";
import { consoleHeaders } from "./harness/members.ts";
import { type Made, makeEach } from "./harness/route-samples/subjects.ts";
import { sampleOf, urlOf } from "./harness/route-samples.ts";

prepareDirectory();

const routes: readonly AdminRoute[] = adminRoutes.filter(
  ({ action }) => (action as string) !== "public",
);

/** Status and cause of each call. A change has an unknown field, so that a permitted one is refused for that alone. */
async function readReach(cookie: string, made: Made): Promise<string[]> {
  const reach: string[] = [];
  for (const route of routes) {
    const isChange = route.method !== "GET";
    const answer = await h.app.inject({
      method: route.method,
      url: urlOf(route, made),
      headers: consoleHeaders(cookie, undefined, isChange),
      ...(isChange && { payload: { ...sampleOf(route).body?.(made), nonsense: true } }),
    });
    const refusal = answer.statusCode < 400 ? "" : codeOf(answer.body);
    reach.push(`${route.operationId} ${answer.statusCode} ${refusal}`);
  }
  return reach;
}

const codeOf = (body: string) =>
  (JSON.parse(body) as { error: { details?: { error_code?: string } } }).error.details?.error_code;

const cookieOf = ({ cookies }: Browser) =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");

test("a role from claims reaches on every route what the same role by hand reaches", async () => {
  const made = await makeEach(org);
  const workspaceId = made.workspace_id;
  const group = await insertGroup(h.deps, org.id, {
    workspaces: { [workspaceId]: "workspace_developer" },
  });
  await change({
    role_claim: "roles",
    role_mappings: directoryRoles.map((role) => ({ value: role, role })),
    group_claim: "groups",
    group_mappings: [{ value: "developers", group_id: group }],
  });
  const cases = [
    ...directoryRoles.map((role) => ({ role, groups: [], workspaces: {} })),
    {
      ...{ role: "user" as const, groups: ["developers"] },
      workspaces: { [workspaceId]: "workspace_developer" as const },
    },
  ];
  for (const { role, groups, workspaces } of cases) {
    const byHand = await org.member({ role, workspaces });
    const person = { ...newPerson(), roles: [role], groups };
    provider.userInfo = { sub: person.sub };
    const { browser } = await signIn(person);
    const reach = await readReach(cookieOf(browser), made);
    expect(reach).toEqual(await readReach(byHand.cookie, made));
    expect(reach.filter((each) => each.endsWith("session_expired"))).toEqual([]);
  }
});
