import { claudeRoutes } from "@bursar/contract/claude/routes.ts";
import { adminRoutes } from "@bursar/contract/routes.ts";
import { expect } from "vitest";
import { serverTest as test } from "#test/harness/admin-test.ts";

interface OpenApi {
  openapi: string;
  security: object[];
  components: { securitySchemes: object; schemas: Record<string, object> };
  paths: Record<string, Record<string, Operation>>;
}

interface Described {
  description?: string;
  enum?: unknown[];
}

interface Operation {
  operationId: string;
  summary: string;
  description: string;
  parameters?: { name: string; description?: string; schema: Described & { items?: Described } }[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { headers?: object }>;
}

test("the OpenAPI document lists every operation of both APIs once", async ({ h }) => {
  const { body } = await h.as(null).get<OpenApi>("/openapi.json");
  expect(body.openapi).toBe("3.1.1");
  const documented = Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => ({ path, method, operationId })),
  );
  const declared = [...adminRoutes, ...claudeRoutes].map(({ path, method, operationId }) => ({
    path,
    method: method.toLowerCase(),
    operationId,
  }));
  const byId = (a: { operationId: string }, b: { operationId: string }) =>
    a.operationId < b.operationId ? -1 : 1;
  expect(documented.sort(byId)).toEqual(declared.sort(byId));
  expect(body.security).toEqual([{ apiKeyHeader: [] }, { bearer: [] }]);
  for (const methods of Object.values(body.paths)) {
    for (const { responses } of Object.values(methods)) {
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(["200", "400", "401", "403"]));
    }
  }
});

test("each route declares its possible errors: upstream errors for Claude, conflicts for changes", async ({
  h,
}) => {
  const { body } = await h.as(null).get<OpenApi>("/openapi.json");
  const statusesOf = (path: string, method: string) =>
    Object.keys(body.paths[path]?.[method]?.responses ?? {});
  const always = ["200", "400", "401", "403", "404", "431", "500", "503"];
  expect(statusesOf("/v1/admin/workspaces", "get").sort()).toEqual(always);
  expect(statusesOf("/v1/admin/workspaces", "post").sort()).toEqual(
    [...always, "409", "413"].sort(),
  );
  const conflicting = claudeRoutes.filter((route) => "canConflict" in route);
  expect(conflicting.map(({ operationId }) => operationId)).toEqual([
    "createMessageBatch",
    "deleteMessageBatch",
  ]);
  for (const route of claudeRoutes) {
    const { path, method } = route;
    expect(statusesOf(path, method.toLowerCase())).toEqual(
      expect.arrayContaining([...always, "429", "502", "504", "529"]),
    );
    const canConflict = statusesOf(path, method.toLowerCase()).includes("409");
    expect([path, method, canConflict]).toEqual([path, method, "canConflict" in route]);
  }
});

test("the responses of reports have headers with the time of their data", async ({ h }) => {
  const { body } = await h.as(null).get<OpenApi>("/openapi.json");
  const documented = Object.values(body.paths)
    .flatMap((methods) => Object.values(methods))
    .filter(({ responses }) => "bursar-data-as-of" in (responses["200"]?.headers ?? {}));
  const reports = adminRoutes.filter((route) => "isReport" in route);
  expect(documented.map(({ operationId }) => operationId).sort()).toEqual(
    reports.map(({ operationId }) => operationId).sort(),
  );
  expect(Object.keys(documented[0]?.responses["200"]?.headers ?? {})).toEqual([
    "request-id",
    "bursar-data-as-of",
    "bursar-replica-lag-seconds",
  ]);
});

test("every operation and every parameter has a description", async ({ h }) => {
  const { body } = await h.as(null).get<OpenApi>("/openapi.json");
  for (const methods of Object.values(body.paths)) {
    for (const { operationId, summary, description, parameters = [] } of Object.values(methods)) {
      expect([operationId, summary, description]).toEqual([
        operationId,
        expect.stringMatching(/^[A-Z]/),
        expect.stringMatching(/^(Needs|.*\n\nNeeds) /s),
      ]);
      for (const { name, description: about, schema } of parameters) {
        const isNamedByItself = schema.enum !== undefined || schema.items?.enum !== undefined;
        const text = about ?? schema.description ?? schema.items?.description ?? "";
        if (!isNamedByItself) expect([operationId, name, text]).not.toContain("");
      }
    }
  }
});

test("the document allows additional fields in responses, not in requests", async ({ h }) => {
  const { body, text } = await h.as(null).get<OpenApi>("/openapi.json");
  expect(body.components.schemas["Workspace"]).not.toHaveProperty("additionalProperties");
  const create = body.paths["/v1/admin/workspaces"]?.["post"]?.requestBody?.content;
  expect(create?.["application/json"]?.schema).toMatchObject({ additionalProperties: false });
  expect(text).not.toContain("[2468][048]");
});

test("every reference inside the document resolves", async ({ h }) => {
  const { body, text } = await h.as(null).get<OpenApi>("/openapi.json");
  const names = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) expect(body.components.schemas).toHaveProperty([String(name)]);
});

test("without a built console, /docs leads to the OpenAPI document", async ({ h }) => {
  const { status, headers } = await h.as(null).get("/docs");
  expect([status, headers["location"]]).toEqual([302, "/openapi.json"]);
});
