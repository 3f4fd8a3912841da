import type { IncomingMessage } from "node:http";
import { idPrefixes } from "@bursar/contract/ids.ts";
import Fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { ApiError } from "#src/domain/api-error.ts";
import { newId } from "#src/lib/ids.ts";
import type { ClientFacts } from "./client-address.ts";
import { addCompression } from "./compress-answers.ts";
import { mountDocs } from "./docs.ts";
import { makeErrorResponse } from "./errors.ts";
import { type HandlerDeps, makeHandlers } from "./handlers.ts";
import { type MountClientUsageDeps, mountClientUsage } from "./mount-client-usage.ts";
import { mountLogout } from "./mount-logout.ts";
import { type MountManagedSettingsDeps, mountManagedSettings } from "./mount-managed-settings.ts";
import { mountOauth } from "./mount-oauth.ts";
import { type MountDeps, mountRoutes, sendJson } from "./mount-routes.ts";
import { mountScim } from "./mount-scim.ts";
import { type MountTelemetryDeps, mountTelemetry } from "./mount-telemetry.ts";
import { mountPages, type PageDeps } from "./pages.ts";
import { readQuery } from "./read-query.ts";
import { securityHeaders, transportHeaders } from "./security-headers.ts";

export interface AdminAppDeps
  extends HandlerDeps,
    MountDeps,
    PageDeps,
    MountManagedSettingsDeps,
    MountClientUsageDeps,
    MountTelemetryDeps {
  personSpend: MountManagedSettingsDeps["personSpend"] & MountClientUsageDeps["personSpend"];
  /** Version of the program, for the documents. */
  version: string;
  /** Distinguishes a lost connection to PostgreSQL from a bug: `isUnavailable` of db/database-error.ts. */
  isDatabaseAway: (error: unknown) => boolean;
  isEncrypted: ClientFacts["isEncrypted"];
}

const BODY_LIMIT = 1024 * 1024;
const MAX_PARAM_LENGTH = 300;
const MAX_SHOWN_PATH = 200;

/**
 * Creates the app with everything except the Claude API: the Admin API, documents, the plain page, health and metrics.
 * The app does not listen. `app.routing(request, response)` handles a request of any server.
 */
export async function makeAdminApp(deps: AdminAppDeps): Promise<FastifyInstance> {
  const makeHeaders = (request: IncomingMessage) =>
    deps.isEncrypted(request)
      ? { ...securityHeaders, ...transportHeaders(request.headers.host) }
      : securityHeaders;
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    // The server chooses the request id under which changes are logged.
    requestIdHeader: false,
    genReqId: () => newId(idPrefixes.request, deps.nowMs(), deps.randomBytes),
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, querystringParser: readQuery },
    schemaController: {
      compilersFactory: { buildValidator: refuseSchema, buildSerializer: refuseSchema },
    },
    frameworkErrors: (error, request, reply) => {
      // Fastify calls this before any hook, with a reply type for any raw server. The reply has this server's type.
      reply.headers(makeHeaders(request.raw));
      sendError(deps, error, request.id, reply as unknown as FastifyReply);
    },
  });

  app.addHook("onRequest", async (request, reply) => {
    reply.headers({ ...makeHeaders(request.raw), "request-id": request.id });
  });
  addCompression(app);
  // The server reads bodies of every content type itself, so it can also refuse a wrong one.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));
  app.setErrorHandler((error, request, reply) => {
    // The client disconnected during the body, so the request stream failed. The response reaches no one.
    const isHangUp = request.raw.errored !== null && request.raw.errored === error;
    return sendError(deps, isHangUp ? makeCutOffError() : error, request.id, reply);
  });
  app.setNotFoundHandler((request, reply) => {
    const [path = ""] = request.url.split("?");
    const hint = deps.hasReference ? " GET /openapi.json lists all routes." : "";
    const error = new ApiError(
      "route_not_found",
      `There is no ${request.method} ${path.slice(0, MAX_SHOWN_PATH)} here.${hint}`,
    );
    return sendError(deps, error, request.id, reply);
  });

  await mountPages(app, deps);
  if (deps.hasReference) mountDocs(app, deps.version);
  mountRoutes(app, deps, makeHandlers(deps));
  mountScim(app, deps);
  mountLogout(app, deps);
  mountManagedSettings(app, deps);
  mountOauth(app, deps);
  mountClientUsage(app, deps);
  mountTelemetry(app, deps);
  await app.ready();
  return app;
}

/** Routes have no schema for Fastify. Its own compilers take 30 ms of processor time to load. */
function refuseSchema(): never {
  throw new Error("A route has a schema for Fastify. mount-routes.ts checks input and responses.");
}

function makeCutOffError(): ApiError {
  return new ApiError("invalid_body", "The connection ended before the whole request body.");
}

function sendError(
  deps: AdminAppDeps,
  error: unknown,
  requestId: string,
  reply: FastifyReply,
): FastifyReply {
  const { status, headers, body, isServerFault } = makeErrorResponse(
    error,
    requestId,
    deps.isDatabaseAway,
  );
  if (isServerFault) deps.logger.error({ err: error, requestId }, "an Admin API request failed");
  return sendJson(reply.code(status).headers(headers), body);
}
