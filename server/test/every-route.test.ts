import { permissionFor } from "@bursar/contract/permissions.ts";
import { type AdminRoute, adminRoutes } from "@bursar/contract/routes.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findAuditHead, listChain } from "#src/audit/audit.sql.ts";
import { verifyChain } from "#src/audit/verify-chain.ts";
import {
  type AdminHarness,
  type Client,
  type Listed,
  startAdmin,
  type TestOrganization,
} from "./harness/admin.ts";

// Every route of the contract, whatever it is about. A new route is tested here from the moment it is declared; the
// tables below say only what cannot be read from its schemas: a body that succeeds, and things to name in it.

let h: AdminHarness;
let org: TestOrganization;
let other: TestOrganization;
/** One thing of each kind, made anew for each use. */
let mine: Made;
let theirs: Made;

type Made = Record<
  "workspace_id" | "api_key_id" | "admin_key_id" | "upstream_id" | "spend_limit_id",
  string
>;

async function makeEach(client: Client): Promise<Made> {
  const { id: workspaceId } = await client.createWorkspace();
  const { id: apiKeyId } = await client.createApiKey(workspaceId);
  const { id: adminKeyId } = await client.createAdminKey();
  const limit = await client.post<{ id: string }>("/v1/admin/spend_limits", {
    scope: { type: "workspace", workspace_id: workspaceId },
    period: "weekly",
    limit_usd: 50,
  });
  return {
    workspace_id: workspaceId,
    api_key_id: apiKeyId,
    admin_key_id: adminKeyId,
    upstream_id: await makeUpstream(client),
    spend_limit_id: limit.body.id,
  };
}

/** There is at most one: the existing one where there is. */
async function makeUpstream(client: Client): Promise<string> {
  const { body } = await client.get<Listed<{ id: string }>>("/v1/admin/upstreams");
  const [existing] = body.data;
  if (existing) return existing.id;
  const made = await client.post<{ id: string }>("/v1/admin/upstreams", {
    name: "Claude",
    base_url: "https://api.anthropic.com",
    credential: "sk-ant-api03-a-credential-of-the-upstream",
  });
  return made.body.id;
}

let uniqueName = 0;
const nextName = () => `Name ${++uniqueName}`;

/** A body with which the call succeeds and changes something. */
function goodBody(route: AdminRoute, made: Made): object | undefined {
  switch (route.operationId) {
    case "createWorkspace":
    case "createOfficialWorkspace":
    case "updateWorkspace":
    case "updateOfficialWorkspace":
    case "updateApiKey":
    case "updateOfficialApiKey":
    case "updateUpstream":
    case "createAdminKey":
      return { name: nextName() };
    case "createApiKey":
      return { name: nextName(), workspace_id: made.workspace_id };
    case "setWorkspaceLimit":
      return { workspace_id: made.workspace_id, monthly_limit_usd: 100 };
    case "setSpendLimit":
      return {
        scope: { type: "api_key", api_key_id: made.api_key_id },
        period: "daily",
        limit_usd: 25,
      };
    case "createModelPrice":
      return { model: nextName(), input_usd: 1, output_usd: 5 };
    case "createUpstream":
      return { name: nextName(), base_url: "https://api.anthropic.com" };
    default:
      return undefined;
  }
}

function goodQuery(route: AdminRoute): string {
  return route.operationId === "getUsage" ? "?starting_at=2026-11-20T00:00:00Z" : "";
}

function urlOf(route: AdminRoute, ids: Record<string, string>): string {
  return (
    route.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(ids[name] ?? "")) +
    goodQuery(route)
  );
}

function callRoute(client: Client, route: AdminRoute, ids: Made, extra: object = {}) {
  const body = goodBody(route, ids);
  return client.send({
    method: route.method,
    url: urlOf(route, ids),
    ...((body !== undefined || Object.keys(extra).length > 0) && {
      payload: { ...body, ...extra },
    }),
  });
}

beforeAll(async () => {
  h = await startAdmin();
  org = await h.organization("Mine");
  other = await h.organization("Theirs");
  mine = await makeEach(org.admin);
  theirs = await makeEach(other.admin);
});
afterAll(async () => {
  await h.close();
});

const named = adminRoutes.map((route) => [`${route.method} ${route.path}`, route] as const);
const writes = named.filter(([, route]) => route.audited !== null);
const withBody = named.filter(([, route]) => "body" in route);
const withId = named.filter(([, route]) => "params" in route);
const forAdminKeysOnly = named.filter(([, route]) => permissionFor(route.action) === null);

test("operation ids and method-path pairs are unique", () => {
  expect(new Set(adminRoutes.map((route) => route.operationId)).size).toBe(adminRoutes.length);
  expect(new Set(named.map(([name]) => name)).size).toBe(adminRoutes.length);
});

test("every route that changes something is audited, and no reading one is", () => {
  for (const { method, audited } of adminRoutes) expect(audited !== null).toBe(method !== "GET");
});

describe("without a key: 401 in the official body", () => {
  test.each(named)("%s", async (_, route) => {
    const answer = await callRoute(h.as(null), route, mine);
    expect(answer.status).toBe(401);
    expect(answer.error.type).toBe("authentication_error");
    expect((answer.body as { request_id: string }).request_id).toBe(answer.headers["request-id"]);
  });
});

describe("with a workspace key of less permission: 403 that says what is needed", () => {
  test.each(named)("%s", async (_, route) => {
    const needed = permissionFor(route.action);
    const permission = needed === null ? "admin" : needed === "admin" ? "write" : null;
    if (permission === null) {
      // Open to the least key there is: nothing to refuse.
      const key = await org.admin.createApiKey(mine.workspace_id, { permissions: ["read"] });
      expect((await callRoute(h.as(key.key), route, mine)).status).toBe(200);
      return;
    }
    const key = await org.admin.createApiKey(mine.workspace_id, { permissions: [permission] });
    const answer = await callRoute(h.as(key.key), route, mine);
    expect(answer.status).toBe(403);
    expect(answer.error.type).toBe("permission_error");
    expect(answer.error.message).toContain("needs an admin key");
  });
});

describe("a field that is not declared: 400 that names it", () => {
  test.each(withBody)("in the body of %s", async (_, route) => {
    const answer = await callRoute(org.admin, route, mine, { organization_id: other.id });
    expect(answer.status).toBe(400);
    expect(answer.error.type).toBe("invalid_request_error");
    expect(answer.error.message).toContain("organization_id: there is no such field");
  });

  test.each(named.filter(([, route]) => !("body" in route)))(
    "in a body that %s does not take",
    async (_, route) => {
      if (route.method === "GET") return; // a GET's body is never read
      const answer = await callRoute(org.admin, route, mine, { force: true });
      expect(answer.status).toBe(400);
      expect(answer.error.message).toContain("force: there is no such field");
    },
  );

  test.each(named)("in the query of %s", async (_, route) => {
    const url = urlOf(route, mine);
    const body = goodBody(route, mine);
    const answer = await org.admin.send({
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
      const answer = await org.admin.send({
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

describe("an unknown id and another organization's: the same 404", () => {
  const unknown: Made = {
    workspace_id: "wksp_unknown",
    api_key_id: "apikey_unknown",
    admin_key_id: "adminkey_unknown",
    upstream_id: "ups_unknown",
    spend_limit_id: "spl_unknown",
  };
  test.each(withId)("%s", async (_, route) => {
    const forUnknown = await callRoute(org.admin, route, unknown);
    const forTheirs = await callRoute(org.admin, route, theirs);
    expect(forUnknown.status).toBe(404);
    expect(forTheirs.status).toBe(404);
    expect(forUnknown.error.type).toBe("not_found_error");
    const messages = [forUnknown, forTheirs].map(({ error }) => error.message);
    const [first, second] = messages.map((message, index) =>
      Object.values(index === 0 ? unknown : theirs).reduce(
        (text, id) => text.replace(id, "<id>"),
        message,
      ),
    );
    expect(second).toBe(first);
  });

  test.each(withBody.filter(([, route]) => "body" in route && "workspace_id" in route.body.shape))(
    "a workspace named in the body of %s",
    async (_, route) => {
      const body = goodBody(route, mine);
      for (const id of ["wksp_unknown", theirs.workspace_id]) {
        const answer = await org.admin.post(urlOf(route, mine), { ...body, workspace_id: id });
        expect(answer.status).toBe(404);
        expect(answer.error.message).toBe(`Workspace not found: ${id}`);
      }
    },
  );
});

describe("with a workspace key: other workspaces do not exist", () => {
  test.each(withId.filter(([, route]) => permissionFor(route.action) !== null))(
    "%s",
    async (_, route) => {
      const own = await org.admin.createWorkspace();
      const key = await org.admin.createApiKey(own.id, { permissions: ["admin"] });
      const answer = await callRoute(h.as(key.key), route, mine);
      expect(answer.status).toBe(404);
      expect(answer.error.type).toBe("not_found_error");
    },
  );
});

test("what is about the whole organization is closed to every workspace key", () => {
  expect(forAdminKeysOnly.length).toBeGreaterThan(0);
  for (const [, { action }] of forAdminKeysOnly) expect(action).not.toMatch(/^(api_keys|usage):/);
});

describe("a change writes exactly its audit event, in a chain that verifies", () => {
  test.each(writes)("%s", async (_, route) => {
    const fresh = await h.organization();
    const made = await makeEach(fresh.admin);
    if (route.operationId === "createUpstream") {
      await fresh.admin.remove(`/v1/admin/upstreams/${made.upstream_id}`);
    }
    const before = await findAuditHead(h.deps.database, fresh.id);
    const answer = await callRoute(fresh.admin, route, made);
    expect(answer.text).toContain("{");
    expect(answer.status).toBe(200);
    const events = await listChain(h.deps.database, {
      organizationId: fresh.id,
      afterSeq: before?.seq ?? 0n,
      limit: 10,
    });
    expect(events.map(({ event }) => event)).toEqual([route.audited]);
    expect(events[0]?.requestId).toBe(answer.headers["request-id"]);
    expect(events[0]?.actorType).toBe("admin_key");
    const seq = Number(events[0]?.seq);
    expect(await verifyChain(h.deps, fresh.id)).toEqual({ kind: "intact", events: seq });
  });

  test.each(writes)("%s, refused, writes none", async (_, route) => {
    const before = await findAuditHead(h.deps.database, org.id);
    await callRoute(org.admin, route, theirs, { nonsense: true });
    expect(await findAuditHead(h.deps.database, org.id)).toEqual(before);
  });
});
