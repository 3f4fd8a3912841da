import { z } from "zod";
import {
  type CreateDocumentOptions,
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
} from "zod-openapi";
import { claudeHeaders, claudeRoutes } from "./claude/routes.ts";
import { errorCodeLists } from "./error-table.ts";
import { errorBody } from "./errors.ts";
import { needs } from "./permission-words.ts";
import { isOperatorAction, isSelfAction } from "./permissions.ts";
import type { RouteSpec } from "./route.ts";
import { adminRoutes } from "./routes.ts";

type Operation = ZodOpenApiOperationObject;
type Paths = NonNullable<ZodOpenApiObject["paths"]>;

const errorStatuses = {
  "400": "The request is wrong; `error_code` and `fields` say what.",
  "401": "The key is missing, wrong, disabled, archived, revoked or expired.",
  "403": "The caller may not do this.",
  "404": "It does not exist, or not for this caller.",
  "431": "The headers are too large.",
  "500": "A fault of the server.",
  "503": "The server's database does not answer, or the server is stopping. Try again in a moment.",
} as const;
const bodyStatus = { "413": "The body is too large." } as const;
const attemptStatus = {
  "429": "Too many failed attempts. `retry-after` is the time until the next one, in seconds.",
} as const;
const SIGNING_IN = "Signing in";
const changeStatus = { "409": "It conflicts with what exists." } as const;
/** The upstream's own errors come back as they are, with any status; these are the ones that clients meet. */
const claudeStatuses = {
  "429": "Too many requests: the upstream's answer. `retry-after` says when to try again.",
  "502": "The upstream cannot be reached, or broke off before it answered.",
  "504": "The upstream did not answer in time.",
  "529": "The upstream is overloaded.",
} as const;

const introduction = `The company desk for the Claude API.

| paths | what they are |
|---|---|
| \`/v1/messages\`, \`/v1/models\` | the Claude API itself, for programs: the official SDKs with this server's address |
| \`/v1/admin/…\` | the Admin API in the company's own shape: everything there is |
| \`/v1/organizations/…\` | the Admin API in its official shape, as the Admin client of the official SDKs calls it |

**Keys** are sent as \`x-api-key: <key>\` or as \`Authorization: Bearer <key>\`. An admin key (\`sk-ant-admin01-…\`) opens
the Admin API; the API key of a workspace (\`sk-ant-api03-…\`) opens Claude, and the Admin API of its own workspace as far as
its permission goes: \`read\` ⊂ \`write\` ⊂ \`admin\`. The first admin key is made on the server's own machine, with
\`./bursar admin-keys create\`.

**Errors** have the official body, whose \`request_id\` is also the header \`request-id\`. \`error.details.error_code\` is the
cause, from the list of error codes below. \`error.details.fields\` lists invalid fields. An unknown field is an error. What
does not exist and what the key may not see are the same 404.

**Lists** run newest first. In the company shape \`next_page\` is given back as \`page\` until it is null; in the official
shape \`last_id\` is given back as \`after_id\` while \`has_more\` is true.

**Sent twice, done once**: a POST with an \`Idempotency-Key\` is carried out once in ten minutes, and gives the same answer
again, which then has the header \`idempotency-replayed: true\`. With another path or body the key is a 409. What was
refused is not kept.

**Amounts** are US dollars, exact to the nano-dollar: decimal text in answers (a limit that was set as a number is given
back as one), a number or decimal text in requests. **Times** are RFC 3339; days, weeks and months are those of UTC.

Answers may get more fields: read those you know.

## Error codes

Facts are members of \`error.details\` that a code always has. New codes may be added. Errors of the Claude API itself pass
unchanged, and may have no code.

${errorCodeLists()}`;

/** The OpenAPI 3.1 document of everything this server answers, made from the route tables. */
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
        name: SIGNING_IN,
        description: "What the console calls for people: set-up, sign-in, their own sessions.",
      },
      { name: "Official shape", description: "What the Admin client of the official SDKs calls." },
      {
        name: "Claude",
        description: "For programs: the official SDKs with this server's address.",
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
            "Of somebody who is signed in, in the company shape alone and together with the header `x-bursar-console: 1`. On plain http (this machine) its name is `bursar_session`.",
        },
      },
    },
    paths: toPaths([...adminRoutes, ...claudeRoutes]),
  };
  return createDocument(document, { override: simplify });
}

/** What a schema's JSON form says too much of for a reader. */
const simplify: NonNullable<CreateDocumentOptions["override"]> = ({ jsonSchema, io }) => {
  // The format says it; the pattern is a line of digits.
  if (["date-time", "date", "uuid"].includes(jsonSchema.format ?? "")) delete jsonSchema.pattern;
  // A later version may answer with more: a client made from this document must not refuse it.
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
  const security = securityOf(route);
  const sentences = [route.description, needs(route.action), stepUpOf(route)].filter(
    (text) => text !== undefined,
  );
  return {
    operationId: route.operationId,
    summary: route.summary,
    description: sentences.join("\n\n"),
    tags: [groupOf(route)],
    ...(security && { security }),
    ...requestParamsOf(route),
    ...(body && {
      requestBody: { required: true, content: { "application/json": { schema: body } } },
    }),
    responses: {
      "200": {
        description: "Done.",
        headers: { "request-id": requestIdHeader },
        content: contentOf(route),
      },
      ...Object.fromEntries(
        Object.entries(errorsOf(route)).map(([status, description]) => [
          status,
          {
            description,
            headers: { "request-id": requestIdHeader },
            content: { "application/json": { schema: errorBody } },
          },
        ]),
      ),
    },
  };
}

function stepUpOf(route: RouteSpec): string | undefined {
  if (!route.stepUp) return undefined;
  return "A signed-in person must have given the password or used a passkey in the last ten minutes.";
}

/** A streamed answer of the Admin surface is nothing but the stream. */
function contentOf(route: RouteSpec) {
  const streams = (route.streams ?? []).map((type) => [type, { schema: { type: "string" } }]);
  const isOnlyStream = streams.length > 0 && !isClaude(route);
  return {
    ...(!isOnlyStream && { "application/json": { schema: route.response } }),
    ...Object.fromEntries(streams),
  };
}

const requestIdHeader = {
  description: "Id of this request, for the server's log and the audit log.",
  schema: { type: "string" },
} as const;

function requestParamsOf(route: RouteSpec): Pick<Operation, "requestParams"> {
  const { params, query } = route;
  const header = headersOf(route);
  if (!params && !query && !header) return {};
  return {
    requestParams: {
      ...(params && { path: params }),
      ...(query && { query }),
      ...(header && { header }),
    },
  };
}

/** Sent with any POST of the Admin surface: the change is made once, however often the request is sent. */
const changeHeaders = z.object({
  "idempotency-key": z
    .string()
    .regex(/^[!-~]{1,255}$/)
    .optional()
    .meta({
      description:
        "A name for this request, such as a UUID. The same request with the same name gives the same answer for ten " +
        "minutes, a secret included, and changes nothing again.",
    }),
});

function headersOf(route: RouteSpec): z.ZodObject | undefined {
  if (isClaude(route)) return claudeHeaders;
  const isClaimed = route.method === "POST" && (route.action as string) !== "public";
  return isClaimed ? changeHeaders : undefined;
}

function errorsOf(route: RouteSpec): Record<string, string> {
  return {
    ...errorStatuses,
    ...(route.body && bodyStatus),
    ...(route.audited !== null && changeStatus),
    ...(isClaude(route) && claudeStatuses),
    ...(route.method === "POST" && groupOf(route) === SIGNING_IN && attemptStatus),
  };
}

/** Where it is not the keys of the whole document. */
function securityOf({ action, path }: RouteSpec): Record<string, string[]>[] | undefined {
  if (action === "public") return [];
  if (isSelfAction(action)) return [{ session: [] }];
  if (!path.startsWith("/v1/admin/") || isOperatorAction(action)) return undefined;
  return [{ apiKeyHeader: [] }, { bearer: [] }, { session: [] }];
}

/** What is about people who sign in stands apart from what programs call. */
function groupOf(route: RouteSpec): string {
  const { action } = route;
  const isAboutPeople = action === "public" || isSelfAction(action) || isOperatorAction(action);
  return isAboutPeople ? SIGNING_IN : tagOf(route.path);
}

function isClaude(route: RouteSpec): boolean {
  return tagOf(route.path) === "Claude";
}

function tagOf(path: string): string {
  if (path.startsWith("/v1/admin/")) return "Company";
  return path.startsWith("/v1/organizations/") ? "Official shape" : "Claude";
}
