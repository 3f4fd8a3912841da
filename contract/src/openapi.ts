import { createDocument, type ZodOpenApiObject, type ZodOpenApiOperationObject } from "zod-openapi";
import { claudeRoutes } from "./claude/routes.ts";
import { errorBody } from "./errors.ts";
import { permissionFor } from "./permissions.ts";
import type { RouteSpec } from "./route.ts";
import { adminRoutes } from "./routes.ts";

type Operation = ZodOpenApiOperationObject;
type Paths = NonNullable<ZodOpenApiObject["paths"]>;

const errorStatuses = {
  "400": "The request is wrong; the message says what.",
  "401": "The key is missing, wrong, disabled, archived, revoked or expired.",
  "403": "The key may not do this.",
  "404": "It does not exist, or not for this key.",
  "409": "It conflicts with what exists.",
  "413": "The body is too large.",
  "431": "The headers are too large.",
  "500": "A fault of the server.",
  "503": "The server's database does not answer.",
} as const;

/** The OpenAPI 3.1 document of everything this server answers, made from the route tables. */
export function makeOpenApiDocument(version: string): object {
  return createDocument({
    openapi: "3.1.1",
    info: {
      title: "Bursar",
      version,
      description:
        "The company desk for the Claude API. `/v1/organizations/…` has the official shape of the Admin API, " +
        "`/v1/admin/…` everything that it lacks, `/v1/messages` and `/v1/models` are the Claude API itself.",
    },
    servers: [{ url: "/" }],
    tags: [
      { name: "Company", description: "Workspaces, keys, limits, usage, prices, upstream." },
      { name: "Official shape", description: "What the Admin client of the official SDKs calls." },
      {
        name: "Claude",
        description: "For programs: the official SDKs with this server's address.",
      },
    ],
    security: [{ apiKeyHeader: [] }, { bearer: [] }],
    components: {
      securitySchemes: {
        apiKeyHeader: { type: "apiKey", in: "header", name: "x-api-key" },
        bearer: { type: "http", scheme: "bearer" },
      },
    },
    paths: toPaths([...adminRoutes, ...claudeRoutes]),
  });
}

function toPaths(routes: readonly RouteSpec[]): Paths {
  const paths: Paths = {};
  for (const route of routes) {
    const method = route.method.toLowerCase() as "get" | "post" | "delete";
    paths[route.path] = { ...paths[route.path], [method]: toOperation(route) };
  }
  return paths;
}

function toOperation(route: RouteSpec): Operation {
  const { params, query, body } = route;
  const sentences = [route.description, needs(route)].filter((text) => text !== undefined);
  return {
    operationId: route.operationId,
    summary: route.summary,
    description: sentences.join("\n\n"),
    tags: [tagOf(route.path)],
    ...((params || query) && {
      requestParams: { ...(params && { path: params }), ...(query && { query }) },
    }),
    ...(body && {
      requestBody: { required: true, content: { "application/json": { schema: body } } },
    }),
    responses: {
      "200": {
        description: "Done.",
        headers: { "request-id": { schema: { type: "string" } } },
        content: { "application/json": { schema: route.response } },
      },
      ...Object.fromEntries(
        Object.entries(errorStatuses).map(([status, description]) => [
          status,
          { description, content: { "application/json": { schema: errorBody } } },
        ]),
      ),
    },
  };
}

function needs(route: RouteSpec): string {
  const permission = permissionFor(route.action);
  if (permission === null) return "Needs an admin key.";
  if (tagOf(route.path) === "Claude")
    return `Needs an API key with the permission \`${permission}\`.`;
  return `Needs an admin key, or for its own workspace an API key with the permission \`${permission}\`.`;
}

function tagOf(path: string): string {
  if (path.startsWith("/v1/admin/")) return "Company";
  return path.startsWith("/v1/organizations/") ? "Official shape" : "Claude";
}
