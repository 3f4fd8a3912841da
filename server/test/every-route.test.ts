// Oldest PostgreSQL: routes
import {
  isOperatorAction,
  isSelfAction,
  permissionFor,
  roleMay,
} from "@bursar/contract/permissions.ts";
import { type AdminRoute, adminRoutes } from "@bursar/contract/routes.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STEP_UP_LASTS_MS } from "#src/access/step-up.ts";
import { findAuditHead, listChain } from "#src/audit/audit.sql.ts";
import { verifyChain } from "#src/audit/verify-chain.ts";
import {
  type AdminHarness,
  type Answer,
  type Client,
  startAdmin,
  type TestOrganization,
} from "./harness/admin.ts";
import { callerCases, expectedStatus, expectedStatusOfHidden } from "./harness/route-callers.ts";
import {
  callRoute,
  hasTarget,
  type Made,
  makeEach,
  makeFor,
  namedRoutes,
  sampleOf,
  unknownIds,
  urlOf,
} from "./harness/route-samples.ts";

// Every route of the contract with every caller, whatever it is about. A new route is tested here from the moment it is
// declared; harness/route-samples.ts says only what cannot be read from its schemas.

let h: AdminHarness;
let org: TestOrganization;
let other: TestOrganization;
/** One thing of each kind. Nothing of it is changed by a call that is refused. */
let mine: Made;
let theirs: Made;
/** Whoever may call the most, by kind of route. */
let owner: Client;

beforeAll(async () => {
  h = await startAdmin();
  org = await h.organization("Mine");
  other = await h.organization("Theirs");
  mine = await makeEach(org);
  theirs = await makeEach(other);
  owner = (await org.member({ role: "owner" })).client;
});
afterAll(async () => {
  await h.close();
});

/** Open to everybody on purpose. Whatever else is public has been forgotten here, or should not be. */
const publicRoutes: readonly string[] = [
  "getSetUp",
  "setUp",
  "signIn",
  "signInWithTwoFactor",
  "getSignInPasskeyOptions",
  "signInWithPasskey",
  "requestPasswordReset",
  "confirmPasswordReset",
  "lookUpInvite",
  "acceptInvite",
];
/** They ask with POST, for a challenge or with a secret, and change nothing that anybody could see. */
const askingRoutes: readonly string[] = [
  "getSignInPasskeyOptions",
  "getStepUpPasskeyOptions",
  "getNewPasskeyOptions",
  "lookUpInvite",
  "previewAccessReview",
  "verifyAccessReviewEvidence",
];

const isPublic = (route: AdminRoute) => publicRoutes.includes(route.operationId);
const routes = namedRoutes.filter(([, route]) => !isPublic(route));
const writes = routes.filter(([, route]) => route.audited !== null);
const withBody = routes.filter(([, route]) => "body" in route);
const withTarget = routes.filter(([, route]) => hasTarget(route));
const companyRoutes = routes.filter(([, route]) => route.path.startsWith("/v1/admin/"));

/**
 * Who may do what is decided before a database is asked, and tested over the embedded one. Over DATABASE_URL the question is
 * whether that database takes every statement: callers that together may do all there is are enough.
 */
const mightyCallers = ["a member with the role owner", "an admin key", "the local operator"];
const callers = process.env["DATABASE_URL"]
  ? callerCases.filter(({ name }) => mightyCallers.includes(name))
  : callerCases;

const mightiest = (route: AdminRoute) => (isSelfAction(route.action) ? owner : org.operator);

describe("the contract", () => {
  test("operation ids and method-path pairs are unique", () => {
    expect(new Set(adminRoutes.map((route) => route.operationId)).size).toBe(adminRoutes.length);
    expect(new Set(namedRoutes.map(([name]) => name)).size).toBe(adminRoutes.length);
  });

  test("every route that changes something is audited, and no reading one is", () => {
    for (const { operationId, method, audited } of adminRoutes) {
      const isChange = method !== "GET" && !askingRoutes.includes(operationId);
      expect([operationId, audited !== null]).toEqual([operationId, isChange]);
    }
  });

  test("the public routes are those that are listed here", () => {
    const found = adminRoutes.filter(({ action }) => (action as string) === "public");
    expect(found.map(({ operationId }) => operationId)).toEqual(publicRoutes);
  });

  test("what is about the whole organization is closed to every workspace key", () => {
    const closed = routes.filter(([, { action }]) => permissionFor(action) === null);
    expect(closed.length).toBeGreaterThan(0);
    for (const [, { action }] of closed) expect(action).not.toMatch(/^(api_keys|usage):/);
  });
});

describe.each(callers)("$name: the status that the table of rights says", (caller) => {
  /** What only reads or is refused changes nothing, of the caller either. */
  let usual: Client;
  beforeAll(async () => {
    usual = await caller.make(h, org, mine.workspace_id);
  });

  test.each(routes)("%s", async (_, route) => {
    const expected = expectedStatus(route, caller);
    const isChange = route.audited !== null;
    // What succeeds changes something: it gets an organization of its own.
    const isApart = isChange && expected === 200;
    const home = isApart ? await h.organization() : org;
    const made = isApart ? await makeFor(home, route) : mine;
    const client = isApart ? await caller.make(h, home, made.workspace_id) : usual;
    if (isApart) await sampleOf(route).prepare?.(home.operator, made);
    const own = isApart ? await sampleOf(route).fit?.(client, made, home.operator) : undefined;
    const before = await findAuditHead(h.deps.database, home.id);
    const answer = await callRoute(client, route, { ...made, ...own?.ids }, own?.body);
    expect([answer.status, answer.error.message]).toEqual([
      expected,
      expected === 200 ? "" : expect.stringMatching(/./),
    ]);
    const events = await listChain(h.deps.database, {
      organizationId: home.id,
      afterSeq: before?.seq ?? 0n,
      limit: 10,
    });
    if (!isApart) {
      expect(events).toEqual([]);
      return;
    }
    // Exactly its audit event, in a chain that verifies.
    const audited = [...(sampleOf(route).audits ?? []), route.audited];
    expect(events.map(({ event, actorType }) => [event, actorType])).toEqual(
      audited.map((event) => [event, caller.actorType]),
    );
    for (const { requestId } of events) expect(requestId).toBe(answer.headers["request-id"]);
    const seq = Number(events.at(-1)?.seq);
    expect(await verifyChain(h.deps, home.id)).toEqual({ kind: "intact", events: seq });
  });
});

describe("refusals have the official body", () => {
  test.each(routes)("401: %s", async (_, route) => {
    const answer = await callRoute(h.as(null), route, mine);
    expect(answer.status).toBe(401);
    expect(answer.error.type).toBe("authentication_error");
    expect((answer.body as { request_id: string }).request_id).toBe(answer.headers["request-id"]);
  });

  let clients: { admin: Client; write: Client };
  beforeAll(async () => {
    const make = async (permission: "admin" | "write") => {
      const key = await org.admin.createApiKey(mine.workspace_id, { permissions: [permission] });
      return h.as(key.key);
    };
    clients = { admin: await make("admin"), write: await make("write") };
  });

  test.each(routes)("403, which says what is needed: %s", async (_, route) => {
    const needed = permissionFor(route.action);
    const permission = needed === null ? "admin" : needed === "admin" ? "write" : null;
    if (permission === null) return; // open to the least key there is: nothing to refuse
    const answer = await callRoute(clients[permission], route, mine);
    expect(answer.status).toBe(403);
    expect(answer.error.type).toBe("permission_error");
    expect(answer.error.message).toMatch(
      /needs (an admin key|the role Owner|the command line)|signed-in person/,
    );
  });
});

/** An answer without what differs between any two: the request, and the ids that were asked for. */
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

const ofOrganizations = withTarget.filter(([, route]) => !sampleOf(route).isOfInstallation);
describe.each(callers)("$name: hidden is missing, byte for byte", (caller) => {
  let client: Client;
  beforeAll(async () => {
    client = await caller.make(h, org, mine.workspace_id);
  });

  test.each(ofOrganizations)("another organization's and what never was: %s", async (_, route) => {
    const missing = await callRoute(client, route, unknownIds);
    const hidden = await callRoute(client, route, theirs);
    expect(comparable(hidden, theirs)).toEqual(comparable(missing, unknownIds));
    expect(missing.status).toBe(expectedStatusOfHidden(route, caller));
  });
});

const scopedCallers = callers.filter(
  ({ permission, workspaceRole }) => permission !== undefined || workspaceRole !== undefined,
);
describe.each(scopedCallers)("$name: another workspace does not exist", (caller) => {
  let client: Client;
  beforeAll(async () => {
    const elsewhere = await org.operator.createWorkspace();
    client = await caller.make(h, org, elsewhere.id);
  });

  const ofWorkspaces = withTarget.filter(([, route]) => !sampleOf(route).isOfOrganization);
  test.each(ofWorkspaces)("%s", async (_, route) => {
    const missing = await callRoute(client, route, unknownIds);
    const hidden = await callRoute(client, route, mine);
    expect(comparable(hidden, mine)).toEqual(comparable(missing, unknownIds));
    expect(hidden.status).not.toBe(200);
  });
});

describe("callers of another organization: nothing of this one exists", () => {
  const outsiders = callers.filter(({ actorType }) => actorType !== null);
  test.each(outsiders)("$name", async (caller) => {
    const client = await caller.make(h, other, theirs.workspace_id);
    const before = await findAuditHead(h.deps.database, org.id);
    for (const [name, route] of ofOrganizations) {
      const answer = await callRoute(client, route, mine);
      expect([name, answer.status]).toEqual([name, expectedStatusOfHidden(route, caller)]);
    }
    expect(await findAuditHead(h.deps.database, org.id)).toEqual(before);
  });
});

describe("a field that is not declared: 400 that names it", () => {
  test.each(withBody)("in the body of %s", async (_, route) => {
    const answer = await callRoute(mightiest(route), route, mine, { organization_id: other.id });
    expect(answer.status).toBe(400);
    expect(answer.error.type).toBe("invalid_request_error");
    expect(answer.error.message).toContain("organization_id: there is no such field");
  });

  test.each(routes.filter(([, route]) => !("body" in route)))(
    "in a body that %s does not take",
    async (_, route) => {
      if (route.method === "GET") return; // a GET's body is never read
      const answer = await callRoute(mightiest(route), route, mine, { force: true });
      expect(answer.status).toBe(400);
      expect(answer.error.message).toContain("force: there is no such field");
    },
  );

  test.each(routes)("in the query of %s", async (_, route) => {
    const url = urlOf(route, mine);
    const body = sampleOf(route).body?.(mine);
    const answer = await mightiest(route).send({
      method: route.method,
      url: `${url}${url.includes("?") ? "&" : "?"}nonsense=1`,
      ...(body && { payload: body }),
    });
    expect(answer.status).toBe(400);
    expect(answer.error.message).toContain("nonsense: there is no such field");
  });
});

describe("a body that is no object: 400", () => {
  test.each(withBody)("%s", async (_, route) => {
    for (const payload of ["[]", "null", '"text"', "{", ""]) {
      const answer = await mightiest(route).send({
        method: route.method,
        url: urlOf(route, mine),
        headers: { "content-type": "application/json" },
        payload,
      });
      expect(answer.status).toBe(400);
      expect(answer.error.type).toBe("invalid_request_error");
    }
  });
});

describe("a change that is refused writes no audit event", () => {
  test.each(writes)("%s", async (_, route) => {
    const before = await findAuditHead(h.deps.database, org.id);
    await callRoute(mightiest(route), route, theirs, { nonsense: true });
    expect(await findAuditHead(h.deps.database, org.id)).toEqual(before);
  });
});

describe("confirming who it is", () => {
  const guarded = companyRoutes.filter(([, route]) => "stepUp" in route);
  const free = companyRoutes.filter(
    ([, route]) => !("stepUp" in route) && !isOperatorAction(route.action),
  );

  const ownerWho = async (steppedUpAtMs: number | null) =>
    (await org.member({ role: "owner", steppedUpAtMs })).client;
  let unconfirmed: Client;
  let tooOld: Client;
  let confirmed: Client;
  beforeAll(async () => {
    unconfirmed = await ownerWho(null);
    tooOld = await ownerWho(h.clock.nowMs - STEP_UP_LASTS_MS - 1);
    confirmed = await ownerWho(h.clock.nowMs - STEP_UP_LASTS_MS);
  });

  test.each(guarded)(
    "%s asks a person whose confirmation is missing or too old",
    async (_, route) => {
      for (const client of [unconfirmed, tooOld]) {
        const answer = await callRoute(client, route, mine);
        expect(answer.status).toBe(403);
        expect(answer.error).toEqual({
          type: "permission_error",
          message: "Confirm it is you: enter your password or use your passkey again.",
        });
        expect(answer.headers["bursar-step-up"]).toBe("required");
      }
      const answer = await callRoute(confirmed, route, theirs, { nonsense: 1 });
      expect(answer.status).not.toBe(403);
    },
  );

  test.each(free)("%s does not", async (_, route) => {
    const answer = await callRoute(unconfirmed, route, unknownIds, { nonsense: 1 });
    expect(answer.headers["bursar-step-up"]).toBeUndefined();
    expect(answer.status).not.toBe(403);
  });

  test("who may not do it at all is not asked to confirm", async () => {
    const { client } = await org.member({ role: "user", steppedUpAtMs: null });
    for (const [, route] of guarded.filter(([, { action }]) => !isSelfAction(action))) {
      const answer = await callRoute(client, route, mine);
      expect(answer.headers["bursar-step-up"]).toBeUndefined();
      expect(answer.status).toBe(403);
    }
  });
});

test("upstreams are changed by an owner or on the server's own machine, and by no key", () => {
  expect([roleMay("owner", "upstreams:write"), roleMay("admin", "upstreams:write")]).toEqual([
    true,
    false,
  ]);
  expect(permissionFor("upstreams:write")).toBeNull();
});
