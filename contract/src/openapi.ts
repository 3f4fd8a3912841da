import { z } from "zod";
import {
  type CreateDocumentOptions,
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
} from "zod-openapi";
import { claudeHeaders, claudeRoutes } from "./claude/routes.ts";
import { errorBody } from "./error-body.ts";
import { renderErrorCodeLists } from "./error-table.ts";
import { describeRequirement } from "./permission-words.ts";
import { isOperatorAction, isSelfAction } from "./permissions.ts";
import { reportHeaders } from "./report-headers.ts";
import type { RouteSpec } from "./route.ts";
import { adminRoutes } from "./routes.ts";

type Operation = ZodOpenApiOperationObject;
type Paths = NonNullable<ZodOpenApiObject["paths"]>;

const errorStatuses = {
  "400": "The request is invalid. `error_code` and `fields` say why.",
  "401": "The key is missing, wrong, disabled, archived, revoked or expired.",
  "403": "The caller lacks the permission.",
  "404": "The resource does not exist, or the caller has no access to it.",
  "431": "The headers are too large.",
  "500": "The server has a fault.",
  "503": "The database is unavailable, or the server is stopping. Retry in a moment.",
} as const;
const bodyStatus = { "413": "The body is too large." } as const;
const attemptStatus = {
  "429": "Too many failed attempts. `retry-after` is the time until the next one, in seconds.",
} as const;
const SIGN_IN = "Sign-in";
const changeStatus = { "409": "The change conflicts with the current state." } as const;
/** Common statuses of the Claude API. Errors of the upstream pass unchanged, with any status. */
const claudeStatuses = {
  "429": "Too many requests for the upstream or a limit. `retry-after` says when to retry.",
  "502": "The upstream cannot be reached, or the connection broke before a response.",
  "504": "The upstream did not respond in time.",
  "529": "The upstream or this server is overloaded.",
} as const;

const introduction = `The company desk for the Claude API.

| paths | purpose |
|---|---|
| \`/v1/messages\`, \`/v1/models\` | The Claude API, for programs. Use the official SDKs with this server's address. |
| \`/v1/admin/…\` | The Admin API in the company shape, with all operations. |
| \`/v1/organizations/…\` | The Admin API in the official shape, for the Admin client of the official SDKs. |

**Keys** are sent as \`x-api-key: <key>\` or as \`Authorization: Bearer <key>\`. An admin key (\`sk-ant-admin01-…\`) opens
the Admin API. The API key of a workspace (\`sk-ant-api03-…\`) opens the Claude API, and the Admin API of its own workspace
as far as its permission allows: \`read\` ⊂ \`write\` ⊂ \`admin\`. Create the first admin key on the server's own
machine, with \`./bursar admin-keys create\`.

**Errors** have the official body. Its \`request_id\` is also the header \`request-id\`. \`error.details.error_code\` is the
cause, from the list of error codes below. \`error.details.fields\` lists invalid fields. An unknown field is an error. A
resource that does not exist and one that the key cannot see are the same 404.

**Lists** run newest first. In the company shape, send \`next_page\` as \`page\` until it is null. In the official shape,
send \`last_id\` as \`after_id\` while \`has_more\` is true.

**Idempotency**: a POST with an \`Idempotency-Key\` is executed once in ten minutes. A repeated request gets the same
response, with the header \`idempotency-replayed: true\`. The same key with another path or body is a 409. Refusals are not
stored.

**Amounts** are US dollars, exact to the nano-dollar. Responses have decimal text. A limit that was set as a number is
returned as a number. Requests accept a number or decimal text. **Times** are RFC 3339. Days, weeks and months are in UTC.

Responses may get more fields. Ignore fields that you do not know.

## Error codes

Facts are members of \`error.details\` that a code always has. New codes may be added. Errors of the Claude API itself pass
unchanged, and may have no code.

${renderErrorCodeLists()}`;

/** Creates the OpenAPI 3.1 document of all routes. */
export function makeOpenApiDocument(version: string): object {
  const document: ZodOpenApiObject = {
    openapi: "3.1.1",
    info: {
      title: "Bursar",
      version,
      description: introduction,
    },
    servers: [{ url: "/", description: "This server" }],
    tags: [
      { name: "Company", description: "Workspaces, keys, limits, usage, prices, upstream." },
      {
        name: SIGN_IN,
        description: "Set-up, sign-in and the member's own sessions, for the console.",
      },
      { name: "Official shape", description: "For the Admin client of the official SDKs." },
      {
        name: "Claude",
        description: "For programs. Use the official SDKs with this server's address.",
      },
    ],
    security: [{ apiKeyHeader: [] }, { bearer: [] }],
    components: {
      securitySchemes: {
        apiKeyHeader: {
          type: "apiKey",
          in: "header",
          name: "x-api-key",
          description: "An admin key, or the API key of a workspace.",
        },
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "The same keys, as newer official SDKs send them.",
        },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "__Host-bursar_session",
          description:
            "Cookie of a signed-in member. Only the company shape accepts it, together with the header `x-bursar-console: 1`. Over plain http (this machine) its name is `bursar_session`.",
        },
      },
    },
    paths: toPaths([...adminRoutes, ...claudeRoutes]),
  };
  return createDocument(document, { override: simplifySchema });
}

/** Removes needless parts of a JSON schema. */
const simplifySchema: NonNullable<CreateDocumentOptions["override"]> = ({ jsonSchema, io }) => {
  // The format replaces the long pattern.
  if (["date-time", "date", "uuid"].includes(jsonSchema.format ?? "")) delete jsonSchema.pattern;
  // Later versions may add fields. Generated clients must accept them.
  if (io === "output" && jsonSchema.additionalProperties === false) {
    delete jsonSchema.additionalProperties;
  }
};

function toPaths(routes: readonly RouteSpec[]): Paths {
  const paths: Paths = {};
  for (const route of routes) {
    const method = route.method.toLowerCase() as "get" | "post" | "delete";
    paths[route.path] = { ...paths[route.path], [method]: toOperation(route) };
  }
  return paths;
}

function toOperation(route: RouteSpec): Operation {
  const { body } = route;
  const security = findSecurity(route);
  const sentences = [
    route.description,
    describeRequirement(route.action),
    describeStepUp(route),
  ].filter((text) => text !== undefined);
  return {
    operationId: route.operationId,
    summary: route.summary,
    description: sentences.join("\n\n"),
    tags: [groupOf(route)],
    ...(security && { security }),
    ...toRequestParams(route),
    ...(body && { requestBody: { required: true, content: toBodyContent(route, body) } }),
    responses: {
      "200": {
        description: "Done.",
        headers: { "request-id": requestIdHeader, ...(route.isReport && dataHeaders) },
        content: toContent(route),
      },
      ...Object.fromEntries(
        Object.entries(listErrors(route)).map(([status, description]) => [
          status,
          {
            description,
            headers: { "request-id": requestIdHeader },
            content: { "application/json": { schema: route.errorBody ?? errorBody } },
          },
        ]),
      ),
    },
  };
}

function toBodyContent({ bodyFile }: RouteSpec, body: z.ZodObject) {
  return {
    "application/json": { schema: body },
    ...(bodyFile && { [bodyFile.mediaType]: { schema: { type: "string" as const } } }),
  };
}

/** Rule of the route for a new proof of identity, as a sentence. Undefined: none. */
export function describeStepUp(route: RouteSpec): string | undefined {
  if (!route.stepUp) return undefined;
  const proof = "must have entered the password or used a passkey in the last ten minutes";
  return route.stepUp === true
    ? `A signed-in member ${proof}.`
    : `For a call that widens access or raises a limit, a signed-in member ${proof}.`;
}

/** Content of the response. A streamed route of the Admin API returns only the stream. */
function toContent(route: RouteSpec) {
  if (route.isBytes) return { "*/*": { schema: {} } };
  const streams = (route.streams ?? []).map((type) => [type, { schema: { type: "string" } }]);
  const isOnlyStream = streams.length > 0 && !isClaude(route);
  return {
    ...(!isOnlyStream && { "application/json": { schema: route.response } }),
    ...Object.fromEntries(streams),
  };
}

const requestIdHeader = {
  description: "Id of this request in the server's log and the audit log.",
  schema: { type: "string" },
} as const;

/** Headers of reports, which can read a replica. */
const dataHeaders = {
  [reportHeaders.dataAsOf]: {
    description: "The data includes everything that was recorded before this time.",
    schema: { type: "string", format: "date-time" },
  },
  [reportHeaders.replicaLagSeconds]: {
    description:
      "Lag of the replica that the data is from, in seconds. Absent: it is from the primary.",
    schema: { type: "number" },
  },
} as const;

function toRequestParams(route: RouteSpec): Pick<Operation, "requestParams"> {
  const { params, query } = route;
  const header = toHeaders(route);
  if (!params && !query && !header) return {};
  return {
    requestParams: {
      ...(params && { path: params }),
      ...(query && { query }),
      ...(header && { header }),
    },
  };
}

/** Header of each POST of the Admin API. A repeated request makes the change once. */
const changeHeaders = z.object({
  "idempotency-key": z
    .string()
    .regex(/^[!-~]{1,255}$/)
    .optional()
    .meta({
      description:
        "A unique name of this request, such as a UUID. For ten minutes, a repeated request gets the same response, " +
        "secrets included, and changes nothing.",
    }),
});

function toHeaders(route: RouteSpec): z.ZodObject | undefined {
  if (isClaude(route)) return claudeHeaders;
  const isClaimed = route.method === "POST" && (route.action as string) !== "public";
  return isClaimed ? changeHeaders : undefined;
}

function listErrors(route: RouteSpec): Record<string, string> {
  return {
    ...errorStatuses,
    ...(route.body && bodyStatus),
    ...((route.audited !== null || route.canConflict) && changeStatus),
    ...(isClaude(route) && claudeStatuses),
    ...(route.method === "POST" && groupOf(route) === SIGN_IN && attemptStatus),
  };
}

/** Credentials of the route. Undefined: those of the whole document. */
function findSecurity({ action, path }: RouteSpec): Record<string, string[]>[] | undefined {
  if (action === "public") return [];
  if (isSelfAction(action)) return [{ session: [] }];
  if (!path.startsWith("/v1/admin/") || isOperatorAction(action)) return undefined;
  return [{ apiKeyHeader: [] }, { bearer: [] }, { session: [] }];
}

/** Tag of the route. Routes for signing in have their own. */
function groupOf(route: RouteSpec): string {
  const { action } = route;
  const isForMembers = action === "public" || isSelfAction(action) || isOperatorAction(action);
  return isForMembers ? SIGN_IN : tagOf(route.path);
}

function isClaude(route: RouteSpec): boolean {
  return tagOf(route.path) === "Claude";
}

function tagOf(path: string): string {
  if (path.startsWith("/v1/admin/")) return "Company";
  return path.startsWith("/v1/organizations/") ? "Official shape" : "Claude";
}
