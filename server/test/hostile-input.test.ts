import { isSelfAction } from "@bursar/contract/permissions.ts";
import type { RouteSpec } from "@bursar/contract/route.ts";
import type { AdminRoute } from "@bursar/contract/routes.ts";
import type { InjectOptions } from "fastify";
import { describe, expect } from "vitest";
import type { Answer, Client } from "./harness/admin.ts";
import { serverTest as base } from "./harness/admin-test.ts";
import { type Made, makeEach } from "./harness/route-samples/subjects.ts";
import { namedRoutes, sampleOf, urlOf } from "./harness/route-samples.ts";

// Input that PostgreSQL refuses, in every query parameter, path parameter and body field of every route. A new route
// is tested here from its declaration.

const test = base.extend(
  "send",
  ({ h }) =>
    (route: AdminRoute, options: Pick<InjectOptions, "url" | "payload">): Promise<Answer> => {
      const { action, method } = route;
      const isPublic = (action as string) === "public";
      const client = isPublic ? h.visitor : isSelfAction(action) ? owner : operator;
      return client.send({ method, ...options });
    },
);

let made: Made;
let operator: Client;
let owner: Client;

test.beforeAll(async ({ h }) => {
  const org = await h.organization();
  operator = org.operator;
  made = await makeEach(org);
  owner = (await org.member({ role: "owner" })).client;
});

const withQuery = namedRoutes.filter(([, route]) => "query" in route);
const withParams = namedRoutes.filter(([, route]) => "params" in route);
const withBody = namedRoutes.filter(([, route]) => "body" in route);

function fieldsOf(route: RouteSpec, part: "query" | "params" | "body"): string[] {
  return Object.keys(route[part]?.shape ?? {});
}

describe("a NUL in a query parameter gets a 400 that names the parameter", () => {
  test.for(withQuery)("%s", async ([_, route], { send }) => {
    for (const field of fieldsOf(route, "query")) {
      for (const pair of [`${field}=%00`, `${field}=a%00b`, `${field}[]=a&${field}[]=%00`]) {
        const answer = await send(route, { url: withPair(route, pair) });
        expect([pair, answer.status, answer.error]).toEqual([
          pair,
          400,
          {
            type: "invalid_request_error",
            message: `${field}: expected text without a NUL character.`,
            details: {
              error_code: "invalid_fields",
              fields: [{ path: field, message: "Expected text without a NUL character." }],
            },
          },
        ]);
      }
    }
  });
});

describe("a NUL in a path parameter gets a 400 that names the parameter", () => {
  test.for(withParams)("%s", async ([_, route], { send }) => {
    for (const field of fieldsOf(route, "params")) {
      const url = urlOf(route, { ...made, [field]: "a\0b" });
      const answer = await send(route, { url, ...payloadOf(route) });
      expect([answer.status, answer.error.message]).toEqual([
        400,
        `${field}: expected text without a NUL character.`,
      ]);
    }
  });
});

describe("a NUL or half of a surrogate pair in a body gets a 400 that names the field", () => {
  test.for(withBody)("%s", async ([_, route], { send }) => {
    const body = sampleOf(route).body?.(made) ?? {};
    for (const path of bodyPathsOf(route, body)) {
      for (const text of ["a\0b", "a\ud800b"]) {
        const payload = replaceAt(body, path, text);
        const answer = await send(route, { url: urlOf(route, made), payload });
        expect([path, answer.status, answer.error.message]).toEqual([
          path,
          400,
          expect.stringContaining(`"${path.join(".")}" contains an invalid character`),
        ]);
      }
    }
  });
});

describe("a value out of range gets no status of 500 or above", () => {
  const hostile = [
    "99999999999999999999",
    "-1",
    "1e309",
    "%ff",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999Z",
    "2026-11-20T00:00:00%2B23:59",
    "a".repeat(20_000),
  ];
  test.for(withQuery)("in the query of %s", async ([_, route], { send }) => {
    for (const field of fieldsOf(route, "query")) {
      for (const value of hostile) {
        const pair = `${field}=${value}`;
        const { status } = await send(route, { url: withPair(route, pair) });
        expect([pair, status]).toEqual([pair, expect.toSatisfy(isNoServerError)]);
      }
    }
  });

  const ids = ["%ff", "%ed%a0%80", "99999999999999999999", "a".repeat(20_000)];
  test.for(withParams)("in the path of %s", async ([_, route], { send }) => {
    for (const field of fieldsOf(route, "params")) {
      for (const id of ids) {
        const url = urlOf(route, { ...made, [field]: "<id>" }).replace("%3Cid%3E", id);
        const { status } = await send(route, { url, ...payloadOf(route) });
        expect([id, status]).toEqual([id, expect.toSatisfy(isNoServerError)]);
      }
    }
  });

  const values = [
    1e15 - 1,
    -1,
    1e300,
    "0000-01-01T00:00:00Z",
    "2026-11-20T00:00:00+23:59",
    "9999999999.999999999",
    "a".repeat(100_000),
    [],
  ];
  test.for(withBody)("in the body of %s", async ([_, route], { send }) => {
    const body = sampleOf(route).body?.(made) ?? {};
    for (const path of bodyPathsOf(route, body)) {
      for (const value of values) {
        const payload = replaceAt(body, path, value);
        const { status } = await send(route, { url: urlOf(route, made), payload });
        expect([path, value, status]).toEqual([path, value, expect.toSatisfy(isNoServerError)]);
      }
    }
  });
});

const isNoServerError = (status: number) => status < 500;

/** Sample call with this pair in place of the sample's own value. */
function withPair(route: AdminRoute, pair: string): string {
  const [path = "", query = ""] = urlOf(route, made).split("?");
  const [field] = pair.split(/\[\]=|=/);
  const kept = query.split("&").filter((each) => each !== "" && each.split("=")[0] !== field);
  return `${path}?${[...kept, pair].join("&")}`;
}

function payloadOf(route: AdminRoute): Pick<InjectOptions, "payload"> {
  const payload = sampleOf(route).body?.(made);
  return payload === undefined ? {} : { payload };
}

/** Paths of all primitive values in the sample body, and of all fields. */
function bodyPathsOf(route: RouteSpec, body: object): string[][] {
  const fields = fieldsOf(route, "body").map((field) => [field]);
  const paths = [...pathsOf(body), ...fields];
  return [...new Map(paths.map((path) => [path.join("."), path])).values()];
}

/** Paths of all primitive values in a body. */
function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([name, inner]) => pathsOf(inner, [...path, name]));
}

/** Copy of the body with another value at the path. */
function replaceAt(body: object, path: readonly string[], value: unknown): object {
  const [name = "", ...rest] = path;
  const copy = (Array.isArray(body) ? [...body] : { ...body }) as Record<string, unknown>;
  const inner = copy[name];
  const isNested = rest.length > 0 && typeof inner === "object" && inner !== null;
  copy[name] = isNested ? replaceAt(inner, rest, value) : value;
  return copy;
}
