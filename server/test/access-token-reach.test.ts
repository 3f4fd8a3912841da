import { messageBatchRoutes } from "@bursar/contract/claude/message-batches.ts";
import { storedObjectRoutes } from "@bursar/contract/claude/stored-objects.ts";
import { organizationRoles, workspaceRoles } from "@bursar/contract/permissions.ts";
import { type AdminRoute, adminRoutes } from "@bursar/contract/routes.ts";
import { describe, expect } from "vitest";
import { findAuditHead } from "#src/audit/audit.sql.ts";
import type { TestOrganization } from "./harness/admin.ts";
import { serverTest } from "./harness/admin-test.ts";
import { checkRefusal } from "./harness/check-refusal.ts";
import { call, messageBody, startTestGateway } from "./harness/gateway.ts";
import { type SignedInLaptop, signInLaptop } from "./harness/laptops.ts";
import { consoleHeaders } from "./harness/members.ts";
import { postForm } from "./harness/oauth.ts";
import { type Made, makeEach } from "./harness/route-samples/subjects.ts";
import { sampleOf, urlOf } from "./harness/route-samples.ts";
import {
  makeForeignTokens,
  makeForgedTokens,
  makeStoppedTokens,
  type TokenState,
} from "./harness/token-states.ts";

// Every route with access tokens of laptops, in each role and each state. A laptop reaches Claude and its own settings and
// usage, and no more.

/** Laptop of a member with one role, and the member's cookie. */
interface Holder {
  role: string;
  memberId: string;
  cookie: string;
  laptop: SignedInLaptop;
}

const test = serverTest
  .extend("org", { scope: "file" }, ({ h }) => h.organization("Tokens"))
  .extend("made", { scope: "file" }, ({ org }) => makeEach(org))
  .extend("holders", { scope: "file" }, async ({ h, org, made }) => {
    const workspaceId = made.workspace_id;
    const assigned = workspaceRoles.filter((role) => role !== "workspace_billing");
    const cases = [
      ...organizationRoles.map((role) => ({ role, workspaceRole: "workspace_user" as const })),
      ...assigned.map((workspaceRole) => ({ role: "user" as const, workspaceRole })),
    ];
    const holders: Holder[] = [];
    for (const { role, workspaceRole } of cases) {
      const workspaces = { [workspaceId]: workspaceRole };
      const { id: memberId, cookie } = await org.member({ role, workspaces });
      const laptop = await signInLaptop(h.deps, { organizationId: org.id, workspaceId, memberId });
      holders.push({ role: `${role}, ${workspaceRole}`, memberId, cookie, laptop });
    }
    return holders;
  })
  .extend("states", { scope: "file" }, async ({ h, org, made }): Promise<TokenState[]> => {
    const place = { h, org, workspaceId: made.workspace_id };
    const stopped = await makeStoppedTokens(place);
    return [
      ...stopped,
      ...(await makeForeignTokens(place)),
      ...(await makeForgedTokens(place)),
      { name: "no token", token: "eyJ", code: "access_token_invalid" },
    ];
  })
  .extend("gateway", { scope: "file" }, async ({ h, upstream }, { onCleanup }) => {
    const { keys, accessTokens, nowMs } = h.deps;
    const { origin } = upstream;
    const gateway = await startTestGateway({ origin, keys, accessTokens, databaseNowMs: nowMs });
    onCleanup(gateway.close);
    return gateway;
  });

const isPublic = ({ action }: AdminRoute) => (action as string) === "public";
const closedRoutes = adminRoutes.filter((route) => !isPublic(route));

/** Status, code of the refusal and advice about retries, or the body of a response without an error code. */
function describeAnswer(status: number, text: string, retry: unknown): string {
  if (status < 400) return `${status}`;
  const body: unknown = JSON.parse(text);
  checkRefusal(status, body);
  const { error } = body as { error: { details: { error_code: string } } };
  return `${status} ${error.details.error_code} ${retry}`;
}

/** Calls one route with these credentials. The address is not that of the machine. */
function makeInject({ app }: { app: TestApp }, made: Made) {
  return async (route: AdminRoute, headers: Record<string, string>): Promise<string> => {
    const body = sampleOf(route).body?.(made);
    const answer = await app.inject({
      method: route.method,
      url: urlOf(route, made),
      remoteAddress: "10.1.2.3",
      headers,
      ...(body !== undefined && { payload: body }),
    });
    return describeAnswer(answer.statusCode, answer.payload, answer.headers["x-should-retry"]);
  };
}

type TestApp = Parameters<typeof postForm>[0]["app"];

/** Routes whose answer is another one. */
async function findExceptions(
  routes: readonly AdminRoute[],
  expected: string,
  inject: (route: AdminRoute) => Promise<string>,
): Promise<string[]> {
  const others: string[] = [];
  for (const route of routes) {
    const answer = await inject(route);
    if (answer !== expected) others.push(`${route.operationId} ${answer}`);
  }
  return others;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const REFUSED = "401 api_key_invalid false";

describe("the Admin API", () => {
  test("refuses a laptop of every role on every route, also beside its member's session", async ({
    h,
    org,
    made,
    holders,
  }) => {
    const inject = makeInject(h, made);
    const before = await findAuditHead(h.deps.database, org.id);
    for (const [at, { role, laptop, cookie }] of holders.entries()) {
      const headers = bearer(laptop.accessToken);
      // The owner calls all routes. The other roles call all of them together.
      const some = closedRoutes.filter((_, index) => at === 0 || index % 4 === at % 4);
      const others = await findExceptions(some, REFUSED, (route) => inject(route, headers));
      expect([role, others]).toEqual([role, []]);
      const both = { ...consoleHeaders(cookie), ...headers };
      const own = closedRoutes.filter(({ action }) => action === "self:read");
      const ambiguous = await findExceptions(
        own,
        "400 conflicting_credentials undefined",
        (route) => inject(route, both),
      );
      expect([role, ambiguous]).toEqual([role, []]);
    }
    expect(await findAuditHead(h.deps.database, org.id)).toEqual(before);
  });

  test("refuses tokens of every state, in either header", async ({ h, org, made, states }) => {
    const inject = makeInject(h, made);
    const before = await findAuditHead(h.deps.database, org.id);
    for (const [at, { name, token }] of states.entries()) {
      // Each state on a part of the routes, so that all states together call every route with either header.
      const some = closedRoutes.filter((_, index) => index % 8 === at % 8);
      for (const headers of [bearer(token), { "x-api-key": token }]) {
        const others = await findExceptions(some, REFUSED, (route) => inject(route, headers));
        expect([name, others]).toEqual([name, []]);
      }
    }
    expect(await findAuditHead(h.deps.database, org.id)).toEqual(before);
  });

  test("gives a token no rights of the local operator on the admin socket", async ({
    org,
    holders,
    states,
  }) => {
    const tokens = [...holders.map(({ laptop }) => laptop.accessToken), ...states.map(tokenOf)];
    for (const token of tokens) {
      const answer = await org.operator.send({
        method: "GET",
        url: "/v1/admin/organization",
        headers: bearer(token),
      });
      expect([answer.status, answer.error.details?.error_code]).toEqual([401, "api_key_invalid"]);
    }
  });

  test("answers public routes as without a token", async ({ h, made, holders }) => {
    const inject = makeInject(h, made);
    for (const route of adminRoutes.filter((each) => isPublic(each) && each.method === "GET")) {
      for (const { laptop } of holders.slice(0, 2)) {
        const answer = await inject(route, bearer(laptop.accessToken));
        expect([route.operationId, answer]).toEqual([route.operationId, await inject(route, {})]);
      }
    }
  });
});

const tokenOf = ({ token }: TokenState) => token;

/** Addresses of laptops, each with its success. */
const laptopRoutes = [
  { method: "GET", url: "/managed/settings", success: "404 resource_not_found false" },
  { method: "GET", url: "/api/oauth/usage", success: "200" },
  { method: "POST", url: "/v1/metrics", success: "200" },
  { method: "POST", url: "/v1/logs", success: "200" },
  { method: "POST", url: "/v1/traces", success: "200" },
] as const;

const claudeRoutes = [
  { method: "POST", path: "/v1/messages" },
  { method: "POST", path: "/v1/messages/count_tokens" },
  { method: "GET", path: "/v1/models" },
  { method: "GET", path: "/v1/models/claude-sonnet-4-5" },
] as const;

describe("the addresses of laptops", () => {
  test("answer laptops of every role, and refuse every other token without a retry", async ({
    h,
    holders,
    states,
  }) => {
    for (const { success, ...target } of laptopRoutes) {
      const send = async (token: string) => {
        const headers = { ...bearer(token), "content-type": "application/json" };
        const { statusCode, payload, headers: got } = await h.app.inject({ ...target, headers });
        return describeAnswer(statusCode, payload, got["x-should-retry"]);
      };
      for (const { role, laptop } of holders) {
        expect([target.url, role, await send(laptop.accessToken)]).toEqual([
          target.url,
          role,
          success,
        ]);
      }
      for (const { name, token, code } of states) {
        const expected = [target.url, name, `401 ${code} false`];
        expect([target.url, name, await send(token)]).toEqual(expected);
      }
    }
  });

  test("of Claude count each request for the laptop's member alone", async ({
    gateway,
    upstream,
    holders,
    states,
  }) => {
    for (const { method, path } of claudeRoutes) {
      const body = method === "POST" ? { body: messageBody() } : {};
      const send = async (headers: Record<string, string>) => {
        const answer = await call(gateway.origin, { method, path, headers, ...body });
        return describeAnswer(answer.status, answer.text, answer.headers["x-should-retry"]);
      };
      for (const [at, { role, memberId, laptop }] of holders.entries()) {
        const claimed = { "x-claude-gateway-user-id": holders[at - 1]?.memberId ?? "user_unknown" };
        const answer = await send({ ...bearer(laptop.accessToken), ...claimed });
        expect([path, role, answer]).toEqual([path, role, "200"]);
        if (path !== "/v1/messages") continue;
        const { memberId: counted, apiKeyId } = gateway.begins.at(-1) ?? {};
        expect([counted, apiKeyId]).toEqual([memberId, laptop.apiKeyId]);
      }
      const sent = upstream.received.length;
      for (const { name, token, code } of states) {
        for (const headers of [bearer(token), { "x-api-key": token }]) {
          // A text that is neither a key nor a token has the code of keys.
          const expected = token === "eyJ" ? "api_key_invalid" : code;
          expect([path, name, await send(headers)]).toEqual([path, name, `401 ${expected} false`]);
        }
      }
      expect(upstream.received.length).toBe(sent);
    }
  });

  test("of batches, files and skills admit every laptop, and refuse every other token without a retry", async ({
    gateway,
    holders,
    states,
  }) => {
    const routes = [...messageBatchRoutes, ...storedObjectRoutes];
    expect(routes).toHaveLength(20);
    for (const { method, path: template } of routes) {
      const path = template.replaceAll(/\{[a-z_]+\}/g, "id_1");
      const send = async (headers: Record<string, string>) => {
        const answer = await call(gateway.origin, { method, path, headers });
        return describeAnswer(answer.status, answer.text, answer.headers["x-should-retry"]);
      };
      for (const { role, laptop } of holders) {
        // This gateway stores no objects, so a caller who may reach the address gets a 404.
        const answer = await send(bearer(laptop.accessToken));
        expect([method, path, role, answer]).toEqual([
          method,
          path,
          role,
          "404 route_not_found false",
        ]);
      }
      for (const { name, token, code } of states) {
        for (const headers of [bearer(token), { "x-api-key": token }]) {
          const expected = token === "eyJ" ? "api_key_invalid" : code;
          expect([path, name, await send(headers)]).toEqual([path, name, `401 ${expected} false`]);
        }
      }
    }
  });

  test("of the sign-in take no access token for a refresh token, and end no other laptop", async ({
    h,
    org,
    holders,
    states,
  }) => {
    for (const { token, name } of [...holders.map(asState), ...states]) {
      if (name === "a refresh token") continue;
      const form = { grant_type: "refresh_token", refresh_token: token };
      const { status, body, headers } = await postForm(h, "token", form);
      expect([name, status, body["error"]]).toEqual([name, 401, "invalid_grant"]);
      expect(headers["x-should-retry"]).toBe("false");
    }
    const before = await findAuditHead(h.deps.database, org.id);
    for (const { name, token, code } of states) {
      // A genuine token may end its own laptop.
      const isGenuine = name === "a refresh token" || !code.startsWith("access_token_");
      if (!isGenuine) await postForm(h, "revoke", { token });
    }
    expect(await findAuditHead(h.deps.database, org.id)).toEqual(before);
    await postForm(h, "revoke", { token: holders[0]?.laptop.accessToken ?? "" });
    expect(await listStatuses(org, holders.slice(0, 2))).toEqual(["ended", "active"]);
  });
});

const asState = ({ role, laptop }: Holder) => ({ name: role, token: laptop.accessToken });

async function listStatuses(org: TestOrganization, holders: readonly Holder[]): Promise<string[]> {
  const { body } = await org.operator.get<{ data: { id: string; status: string }[] }>(
    "/v1/admin/laptops?limit=100",
  );
  return holders.map(
    ({ laptop }) => body.data.find(({ id }) => id === laptop.id)?.status ?? "missing",
  );
}

/**
 * Addresses beside the contract, with the status of a request with the token of a laptop from another machine. `same`: the
 * answer is that of a request without credentials.
 */
const otherRoutes: Readonly<Record<string, "same" | "tested above" | "401">> = {
  "/": "same",
  "/favicon.svg": "same",
  "/favicon.ico": "same",
  "/healthz": "same",
  "/readyz": "same",
  "/metrics": "401",
  "/openapi.json": "same",
  "/docs": "same",
  "/protocol": "same",
  "/.well-known/oauth-authorization-server": "same",
  "/oauth/device_authorization": "same",
  "/oauth/token": "tested above",
  "/oauth/revoke": "tested above",
  "/managed/settings": "tested above",
  "/api/oauth/usage": "tested above",
  "/v1/metrics": "tested above",
  "/v1/logs": "tested above",
  "/v1/traces": "tested above",
  "/v1/admin/directory_logout/:directory_id": "same",
  // SCIM, whose prefix the tree of routes leaves out.
  "/*": "401",
};

test("no other address knows the token of a laptop", async ({ h, holders }) => {
  const ofContract = new Set(adminRoutes.map(({ path }) => path.replaceAll(/\{(\w+)\}/g, ":$1")));
  const all = listPaths(h.app.printRoutes({ commonPrefix: false }));
  const paths = all.filter((path) => !ofContract.has(path));
  expect(paths.toSorted()).toEqual(Object.keys(otherRoutes).toSorted());
  const token = holders[0]?.laptop.accessToken ?? "";
  for (const [path, answer] of Object.entries(otherRoutes)) {
    if (answer === "tested above") continue;
    const read = async (headers: Record<string, string>) => {
      const url = path.replace("*", "scim/v2/Users");
      const response = await h.app.inject({
        method: "GET",
        url,
        headers,
        remoteAddress: "10.1.2.3",
      });
      return response.statusCode;
    };
    const status = await read(bearer(token));
    expect([path, status]).toEqual([path, answer === "same" ? await read({}) : Number(answer)]);
  }
});

/** Lists the paths of the tree that Fastify prints. */
function listPaths(tree: string): string[] {
  const parts: string[] = [];
  return tree.split("\n").flatMap((line) => {
    const [, indent = "", part = "", methods] = /^([│ ]*)[├└]── (\S+)( \(.*\))?$/.exec(line) ?? [];
    if (part === "") return [];
    const depth = indent.length / 4;
    parts.splice(depth, parts.length, part);
    const path = parts.join("").replace(/^\/+/, "/");
    return methods === undefined ? [] : [path];
  });
}
