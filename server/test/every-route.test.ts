import {
  findRequiredPermission,
  hasRight,
  isOperatorAction,
  isSelfAction,
} from "@bursar/contract/permissions.ts";
import { type AdminRoute, adminRoutes } from "@bursar/contract/routes.ts";
import { describe, expect } from "vitest";
import { STEP_UP_LASTS_MS } from "#src/access/step-up.ts";
import { findAuditHead, listChain } from "#src/audit/audit.sql.ts";
import { verifyChain } from "#src/audit/verify-chain.ts";
import type { Answer, Client, TestOrganization } from "./harness/admin.ts";
import { serverTest as base } from "./harness/admin-test.ts";
import {
  type CallerCase,
  callerCases,
  getExpectedStatus,
  getHiddenStatus,
} from "./harness/route-callers.ts";
import { type Made, makeEach, unknownIds } from "./harness/route-samples/subjects.ts";
import {
  callRoute,
  hasTarget,
  makeCallerNeeds,
  namedRoutes,
  sampleOf,
  urlOf,
} from "./harness/route-samples.ts";

// Every route of the contract with every kind of caller. A new route is tested here from its declaration.
// `harness/route-samples.ts` has only the facts that its schemas lack.

const test = base
  /** Organization that no call under test changes. Every call that could change it is refused. */
  .extend("org", { scope: "file" }, ({ h }) => h.organization("Mine"))
  .extend("matrix", { scope: "file" }, ({ h, org }) => {
    async function makeClients(caller: CallerCase): Promise<Clients> {
      const elsewhere = isScoped(caller) ? (await org.operator.createWorkspace()).id : null;
      return {
        here: await caller.make(h, org, mine.workspace_id),
        elsewhere: elsewhere === null ? null : await caller.make(h, org, elsewhere),
      };
    }

    async function makeChanging(caller: CallerCase): Promise<Changing> {
      const org = await h.organization("Changing");
      return { org, shared: isScoped(caller) ? null : await caller.make(h, org, "") };
    }

    const readUnchangedHeads = () =>
      Promise.all([org, other].map(({ id }) => findAuditHead(h.deps.database, id)));

    /** Checks that the call succeeds and writes exactly its audit event. A call about the caller needs a new one. */
    async function expectChange(
      { org, shared }: Changing,
      route: AdminRoute,
      caller: CallerCase,
    ): Promise<void> {
      const { prepare, prepareCaller, audits = [] } = sampleOf(route);
      const made = await makeCallerNeeds(org, route, caller);
      const client =
        shared !== null && !isSelfAction(route.action)
          ? shared
          : await caller.make(h, org, made.workspace_id);
      await prepare?.(org.operator, made);
      const own = await prepareCaller?.(client, made, org.operator);
      const before = await findAuditHead(h.deps.database, org.id);
      const answer = await callRoute(client, route, { ...made, ...own?.ids }, own?.body);
      expectStatus(route, caller, answer);
      const events = await listChain(h.deps.database, {
        organizationId: org.id,
        afterSeq: before?.seq ?? 0n,
        limit: 10,
      });
      expect(events.map(({ event, actorType }) => [event, actorType])).toEqual(
        [...audits, route.audited].map((event) => [event, caller.actorType]),
      );
      for (const { requestId } of events) expect(requestId).toBe(answer.headers["request-id"]);
    }

    const findStrongestClient = (route: AdminRoute) =>
      isSelfAction(route.action) ? owner : org.operator;

    /** Checks that an undeclared field gets a 400 that names it. */
    async function expectFieldsRefused(route: AdminRoute): Promise<void> {
      const client = findStrongestClient(route);
      if ("body" in route) {
        const answer = await callRoute(client, route, mine, { organization_id: other.id });
        expect(answer.error.type).toBe("invalid_request_error");
        expectUnknownField(answer, "organization_id");
      } else if (route.method !== "GET") {
        // The server never reads the body of a GET.
        expectUnknownField(await callRoute(client, route, mine, { force: true }), "force");
      }
      const url = urlOf(route, mine);
      const payload = sampleOf(route).body?.(mine);
      const answer = await client.send({
        method: route.method,
        url: `${url}${url.includes("?") ? "&" : "?"}nonsense=1`,
        ...(payload && { payload }),
      });
      expectUnknownField(answer, "nonsense");
    }

    async function expectNoObjectRefused(route: AdminRoute): Promise<void> {
      for (const payload of ["[]", "null", '"text"', "{", ""]) {
        const answer = await findStrongestClient(route).send({
          method: route.method,
          url: urlOf(route, mine),
          headers: { "content-type": "application/json" },
          payload,
        });
        expect(answer.status).toBe(400);
        expect(answer.error.type).toBe("invalid_request_error");
      }
    }

    async function expectNoEventOfRefusal(route: AdminRoute): Promise<void> {
      const before = await findAuditHead(h.deps.database, org.id);
      await callRoute(findStrongestClient(route), route, theirs, { nonsense: true });
      expect(await findAuditHead(h.deps.database, org.id)).toEqual(before);
    }

    return {
      makeClients,
      makeChanging,
      readUnchangedHeads,
      expectChange,
      expectFieldsRefused,
      expectNoObjectRefused,
      expectNoEventOfRefusal,
    };
  });

/** Second organization, with ids that callers of `org` must not see. */
let other: TestOrganization;
/** One subject of each kind. */
let mine: Made;
let theirs: Made;
let owner: Client;

test.beforeAll(async ({ h, org }) => {
  other = await h.organization("Theirs");
  mine = await makeEach(org);
  theirs = await makeEach(other);
  owner = (await org.member({ role: "owner" })).client;
});

/** Routes that are public by design. Any other public route is a mistake. */
const publicRoutes: readonly string[] = [
  "getSetUp",
  "setUp",
  "signIn",
  "signInWithTwoFactor",
  "getSignInPasskeyOptions",
  "signInWithPasskey",
  "listSignInDirectories",
  "beginDirectorySignIn",
  "completeDirectorySignIn",
  "requestDirectoryLinkMail",
  "confirmDirectoryLink",
  "requestPasswordReset",
  "confirmPasswordReset",
  "lookUpInvite",
  "acceptInvite",
];
/** Reading routes whose content is secret enough for an event of each reading. */
const auditedReadings: readonly string[] = ["getMail"];
/** Routes that use POST to request a challenge or send a secret. They change no visible data. */
const askingRoutes: readonly string[] = [
  "getSignInPasskeyOptions",
  "beginDirectorySignIn",
  "testDirectory",
  "previewDirectoryChange",
  "previewModelPrice",
  "checkManagedSettings",
  "getStepUpPasskeyOptions",
  "getNewPasskeyOptions",
  "lookUpInvite",
  "previewAccessReview",
  "previewAlert",
  "previewSecuritySettings",
  "verifyAccessReviewEvidence",
];

const isPublic = (route: AdminRoute) => publicRoutes.includes(route.operationId);
const routes = namedRoutes.filter(([, route]) => !isPublic(route));
const isOfOrganization = (route: AdminRoute) =>
  hasTarget(route) && !sampleOf(route).isInstallationWide;
const isOfWorkspace = (route: AdminRoute) =>
  hasTarget(route) && !sampleOf(route).isOrganizationWide;

/** Callers that together have all rights. */
const fullRights = ["a member with the role owner", "the local operator"];
const fullRightsCallers = callerCases.filter(({ name }) => fullRights.includes(name));

describe("the contract", () => {
  test("has unique operation ids and method-path pairs", () => {
    expect(new Set(adminRoutes.map((route) => route.operationId)).size).toBe(adminRoutes.length);
    expect(new Set(namedRoutes.map(([name]) => name)).size).toBe(adminRoutes.length);
  });

  test("audits every route that changes data, and no other reading route than the listed", () => {
    for (const { operationId, method, audited } of adminRoutes) {
      const isChange = method !== "GET" && !askingRoutes.includes(operationId);
      const isAudited = isChange || auditedReadings.includes(operationId);
      expect([operationId, audited !== null]).toEqual([operationId, isAudited]);
    }
  });

  test("has only the listed public routes", () => {
    const found = adminRoutes.filter(({ action }) => (action as string) === "public");
    expect(found.map(({ operationId }) => operationId)).toEqual(publicRoutes);
  });

  test("lets the callers with full rights together call every route", () => {
    expect(fullRightsCallers).toHaveLength(fullRights.length);
    const isAllowed = (route: AdminRoute) =>
      fullRightsCallers.some((caller) => getExpectedStatus(route, caller) === 200);
    expect(routes.filter(([, route]) => !isAllowed(route))).toEqual([]);
  });

  test("denies every workspace key the routes of the whole organization", () => {
    const closed = routes.filter(([, { action }]) => findRequiredPermission(action) === null);
    expect(closed.length).toBeGreaterThan(0);
    for (const [, { action }] of closed) expect(action).not.toMatch(/^(api_keys|usage):/);
  });
});

/** Clients of one caller. */
interface Clients {
  here: Client;
  /** Client with the same rights in another workspace. Null when the rights come from no workspace. */
  elsewhere: Client | null;
}

interface Changing {
  org: TestOrganization;
  /** Client of the caller for several calls. Null when the rights come from the workspace of one call. */
  shared: Client | null;
}

const isScoped = ({ permission, workspaceRole }: CallerCase) =>
  permission !== undefined || workspaceRole !== undefined;

/**
 * Whether calls about hidden subjects belong to a caller's tests of a route. Rights refuse a call before anything reads its
 * subject, so one refused caller of each kind tries them: another one with each route.
 */
function triesHidden(route: AdminRoute, caller: CallerCase): boolean {
  const kindOf = (each: CallerCase) =>
    `${each.actorType} ${isScoped(each)} ${getExpectedStatus(route, each)}`;
  const status = getExpectedStatus(route, caller);
  if (status === 200 || status === 404) return true;
  const same = callerCases.filter((each) => kindOf(each) === kindOf(caller));
  return same[adminRoutes.indexOf(route) % same.length] === caller;
}

describe.each(callerCases)("$name", (caller) => {
  let clients: Clients;
  /** Organization for calls that succeed and change data. Each call has its own subjects. */
  let changing: Changing;
  let heads: Awaited<ReturnType<typeof findAuditHead>>[];
  test.beforeAll(async ({ matrix }) => {
    clients = await matrix.makeClients(caller);
    changing = await matrix.makeChanging(caller);
    heads = await matrix.readUnchangedHeads();
  });

  test.for(routes)(
    "gets the status of the table of rights, and 404 for hidden subjects: %s",
    async ([_, route], { matrix, org }) => {
      if (getExpectedStatus(route, caller) === 200 && route.audited !== null) {
        await matrix.expectChange(changing, route, caller);
      } else {
        const isReading = getExpectedStatus(route, caller) === 200;
        const { prepareCaller } = sampleOf(route);
        const own = isReading ? await prepareCaller?.(clients.here, mine, org.operator) : undefined;
        const answer = await callRoute(clients.here, route, { ...mine, ...own?.ids });
        expectStatus(route, caller, answer);
        expect(findIds(answer, theirs)).toEqual([]);
      }
      if (!hasTarget(route) || !triesHidden(route, caller)) return;
      const missing = await callRoute(clients.here, route, unknownIds);
      if (isOfOrganization(route)) {
        expect(missing.status).toBe(getHiddenStatus(route, caller));
        // The same steps create both organizations. So no caller of the other one names a subject of this one: that call is
        // this call with the organizations exchanged.
        expectLikeMissing(await callRoute(clients.here, route, theirs), theirs, missing);
      }
      // Both clients have the same rights. So subjects of the other's workspace look as a missing one does in the own.
      if (clients.elsewhere !== null && isOfWorkspace(route)) {
        expect(missing.status).not.toBe(200);
        expectLikeMissing(await callRoute(clients.elsewhere, route, mine), mine, missing);
      }
    },
  );

  test("writes no audit event with reading or refused calls", async ({ matrix }) => {
    expect(await matrix.readUnchangedHeads()).toEqual(heads);
  });

  test("leaves a valid chain of audit events", async ({ h }) => {
    const { id } = changing.org;
    const head = await findAuditHead(h.deps.database, id);
    const events = Number(head?.seq);
    expect(await verifyChain(h.deps, id)).toEqual({ kind: "intact", events });
  });
});

function expectStatus(route: AdminRoute, caller: CallerCase, answer: Answer): void {
  const expected = getExpectedStatus(route, caller);
  expect([answer.status, answer.error.message]).toEqual([
    expected,
    expected === 200 ? "" : expect.stringMatching(/./),
  ]);
  if (caller.actorType === null) {
    const { request_id } = answer.body as { request_id: string };
    expect(answer.error.type).toBe("authentication_error");
    expect(request_id).toBe(answer.headers["request-id"]);
  }
  const needed = findRequiredPermission(route.action);
  const isOnePermissionShort =
    (caller.permission === "admin" && needed === null) ||
    (caller.permission === "write" && needed === "admin");
  if (isOnePermissionShort) {
    expect(expected).toBe(403);
    expect(answer.error.type).toBe("permission_error");
    expect(answer.error.message).toMatch(
      /needs (an admin key|the role Owner|the command line)|signed-in member/,
    );
  }
}

/**
 * Ids of one organization's subjects in a response. Nodes belong to the installation, and roles are built in, so all
 * organizations list them.
 */
function findIds({ text }: Answer, made: Made): string[] {
  const { node_id: _, rbac_role_id: __, ...ids } = made;
  return Object.values(ids).filter((id) => text.includes(id));
}

/** Checks that a hidden subject gets the bytes of a missing one. */
function expectLikeMissing(hidden: Answer, ids: Made, missing: Answer): void {
  expect(comparable(hidden, ids)).toEqual(comparable(missing, unknownIds));
}

/** Response without the values that differ between any two calls: the request id and the requested ids. */
function comparable({ status, text, headers }: Answer, ids: Made) {
  const requestId = headers["request-id"] ?? "";
  const replace = (whole: string) =>
    Object.entries(ids).reduce(
      (rest, [name, id]) => rest.replaceAll(id, `<${name}>`),
      whole.replaceAll(requestId, "<request>"),
    );
  const { date: _, "content-length": __, ...kept } = headers;
  return { status, text: replace(text), headers: replace(JSON.stringify(kept)) };
}

describe("a caller with full rights", () => {
  let unconfirmed: Client;
  let tooOld: Client;
  let confirmed: Client;
  test.beforeAll(async ({ h, org }) => {
    const createOwner = async (steppedUpAtMs: number | null) =>
      (await org.member({ role: "owner", steppedUpAtMs })).client;
    unconfirmed = await createOwner(null);
    tooOld = await createOwner(h.clock.nowMs - STEP_UP_LASTS_MS - 1);
    confirmed = await createOwner(h.clock.nowMs - STEP_UP_LASTS_MS);
  });

  test.for(routes)(
    "gets 400 for an invalid call, and a step-up request if the route requires it: %s",
    async ([_, route], { matrix }) => {
      await matrix.expectFieldsRefused(route);
      if ("body" in route) await matrix.expectNoObjectRefused(route);
      if (route.audited !== null) await matrix.expectNoEventOfRefusal(route);
      if (!route.path.startsWith("/v1/admin/")) return;
      if ("stepUp" in route && route.stepUp === true) await expectConfirmation(route);
      else if (!isOperatorAction(route.action)) await expectNoConfirmation(route);
    },
  );

  async function expectConfirmation(route: AdminRoute): Promise<void> {
    for (const client of [unconfirmed, tooOld]) {
      const answer = await callRoute(client, route, mine);
      expect(answer.status).toBe(403);
      expect(answer.error).toEqual({
        type: "permission_error",
        message: "Confirm it is you: enter your password or use your passkey again.",
        details: { error_code: "step_up_required" },
      });
      expect(answer.headers["bursar-step-up"]).toBe("required");
    }
    const answer = await callRoute(confirmed, route, theirs, { nonsense: 1 });
    expect(answer.status).not.toBe(403);
  }

  async function expectNoConfirmation(route: AdminRoute): Promise<void> {
    const answer = await callRoute(unconfirmed, route, unknownIds, { nonsense: 1 });
    expect(answer.headers["bursar-step-up"]).toBeUndefined();
    expect(answer.status).not.toBe(403);
  }
});

function expectUnknownField(answer: Answer, field: string): void {
  expect(answer.status).toBe(400);
  expect(answer.error.message).toContain(`${field}: there is no such field`);
  const named = { path: field, message: "There is no such field here." };
  expect(answer.error.details).toMatchObject({
    error_code: "invalid_fields",
    fields: expect.arrayContaining([named]),
  });
}

test("requests no step-up from members without permission for the route", async ({ org }) => {
  const guarded = routes.filter(
    ([, route]) => route.path.startsWith("/v1/admin/") && "stepUp" in route,
  );
  const { client } = await org.member({ role: "user", steppedUpAtMs: null });
  for (const [, route] of guarded.filter(([, { action }]) => !isSelfAction(action))) {
    const answer = await callRoute(client, route, mine);
    expect(answer.headers["bursar-step-up"]).toBeUndefined();
    expect(answer.status).toBe(403);
  }
});

test("only owners and the local operator can change upstreams", () => {
  expect([hasRight("owner", "upstreams:write"), hasRight("admin", "upstreams:write")]).toEqual([
    true,
    false,
  ]);
  expect(findRequiredPermission("upstreams:write")).toBeNull();
});
