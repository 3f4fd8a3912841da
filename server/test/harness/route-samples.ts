import { type AdminRoute, adminRoutes } from "@bursar/contract/routes.ts";
import type { Answer, Client, TestOrganization } from "./admin.ts";
import { alertSamples } from "./route-samples/alerts.ts";
import { groupSamples } from "./route-samples/groups.ts";
import { keySamples } from "./route-samples/keys.ts";
import { laptopSamples } from "./route-samples/laptops.ts";
import { limitSamples } from "./route-samples/limits.ts";
import { peopleSamples } from "./route-samples/people.ts";
import { reviewSamples } from "./route-samples/reviews.ts";
import type { Person, Sample } from "./route-samples/sample.ts";
import { signInSamples } from "./route-samples/sign-in.ts";
import {
  type Made,
  makeEach,
  makeSubjects,
  nextAddress,
  unknownIds,
} from "./route-samples/subjects.ts";
import { systemSamples } from "./route-samples/system.ts";
import { usageSamples } from "./route-samples/usage.ts";

// A successful call of every route, for tests of all routes. A new route does not compile until it has a sample here.

export const samples: Record<AdminRoute["operationId"], Sample> = {
  ...signInSamples,
  ...peopleSamples,
  ...groupSamples,
  ...keySamples,
  ...laptopSamples,
  ...alertSamples,
  ...limitSamples,
  ...usageSamples,
  ...reviewSamples,
  ...systemSamples,
};

/** Creates the subjects that the route's sample needs. Only these have ids. */
export function makeNeeds(org: TestOrganization, route: AdminRoute): Promise<Made> {
  const { needs = [] } = sampleOf(route);
  if (needs === "everything") return makeEach(org);
  return makeSubjects(org, ["workspace_id", ...needs, ...listNamedIds(route)]);
}

/**
 * Creates the subjects for a successful call of one caller, except those that `prepareCaller` creates. The effect on
 * subjects of other kinds does not depend on the caller, so only the local operator's calls have one of each kind.
 */
export function makeCallerNeeds(
  org: TestOrganization,
  route: AdminRoute,
  caller: Person & { actorType: string | null },
): Promise<Made> {
  const { needs = [], callerIds = [] } = sampleOf(route);
  const isComplete = needs === "everything" && caller.actorType === "local_operator";
  if (isComplete) return makeEach(org);
  const others = needs === "everything" ? [] : needs;
  const isOfWorkspace = caller.workspaceRole !== undefined || caller.permission !== undefined;
  return makeSubjects(org, [
    ...(isOfWorkspace ? (["workspace_id"] as const) : []),
    ...others,
    ...listNamedIds(route).filter((id) => !callerIds.includes(id)),
  ]);
}

export function sampleOf(route: AdminRoute): Sample {
  return samples[route.operationId];
}

/** Parameters of paths that are no ids. The month is the one of the test clock. */
const values: Readonly<Record<string, string>> = { month: "2026-11" };

export function urlOf(route: AdminRoute, ids: Made): string {
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const id = { ...values, ...ids }[name];
    if (id === undefined)
      throw new Error(`${route.path}: ${name} was not created, see route-samples/subjects.ts`);
    return encodeURIComponent(id);
  });
  const { query: ask = "" } = sampleOf(route);
  const query = typeof ask === "string" ? ask : ask(ids);
  return query === "" ? path : `${path}?${query}`;
}

/** Calls the route with its sample. `extra` adds fields to the body. */
export function callRoute<Body>(
  client: Client,
  route: AdminRoute,
  ids: Made,
  extra: object = {},
): Promise<Answer<Body>> {
  const body = sampleOf(route).body?.(ids);
  const payload = { ...body, ...extra };
  return client.send({
    method: route.method,
    url: urlOf(route, ids),
    // Wrong codes of one address are limited.
    ...(route.path.includes("{user_code}") && { remoteAddress: nextAddress() }),
    ...((body !== undefined || Object.keys(extra).length > 0) && { payload }),
  });
}

/** Ids that the sample call names in its path, query or body. */
function listNamedIds(route: AdminRoute): (keyof Made)[] {
  const body = JSON.stringify(sampleOf(route).body?.(unknownIds) ?? {});
  const call = `${urlOf(route, unknownIds)} ${body}`;
  const ids = Object.keys(unknownIds) as (keyof Made)[];
  return ids.filter((id) => call.includes(unknownIds[id]));
}

/** True when the route is about one existing subject. */
export const hasTarget = (route: AdminRoute): boolean => listNamedIds(route).length > 0;

/** Name and route of each route, as `test.each` takes them. */
export const namedRoutes = adminRoutes.map((route): [string, AdminRoute] => [
  `${route.method} ${route.path}`,
  route,
]);
