import type { IncomingMessage } from "node:http";
import type { RouteSpec, StreamedAnswer } from "@bursar/contract/route.ts";
import { adminRoutes } from "@bursar/contract/routes.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type AuthenticateDeps, authenticate } from "#src/access/authenticate.ts";
import { authorize } from "#src/access/authorize.ts";
import type { Browser, BrowserCall, Call, PublicCall, ReportCall } from "#src/access/call.ts";
import { type ConsoleRequest, checkConsoleRequest } from "#src/access/console-request.ts";
import { checkStepUp } from "#src/access/step-up.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller, Origin } from "#src/domain/caller.ts";
import type { Claim, ClaimedChanges } from "#src/domain/claim.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { assert } from "#src/lib/assert.ts";
import type { Logger } from "#src/lib/logger.ts";
import { checkText } from "./check-text.ts";
import type { ClientFacts } from "./client-address.ts";
import type { Handlers } from "./handlers.ts";
import { openReport, type ReportsSource } from "./open-report.ts";
import { readClaim } from "./read-claim.ts";
import { readJsonObject } from "./read-json.ts";
import { readOrigin } from "./read-origin.ts";
import { sendStream } from "./send-stream.ts";
import { makeStreamedFiles, type StreamedFiles } from "./streamed-files.ts";
import { validate } from "./validate.ts";

export interface MountDeps extends AuthenticateDeps {
  /** User id at the other end of the admin socket. Null: a connection of another listener. */
  isLocalOperator: (socket: IncomingMessage["socket"]) => string | null;
  /** Client address: the socket's, or the one from a trusted proxy. */
  clientAddress: ClientFacts["clientAddress"];
  /**
   * Called for each refusal of a known caller: missing permission (403), and a missing object in a call that would
   * change it (404). Must not throw. The result is not awaited.
   */
  onDenied?: (caller: Caller, route: RouteSpec, origin: Origin, refusal: ApiError) => void;
  /** Database of the routes with `isReport`. */
  reportsDatabase: ReportsSource;
  /** True while Claude requests run, which come before streamed files. Default: never. */
  isBusy?: () => boolean;
  /** Changes that a retry must not repeat. */
  claims: ClaimedChanges;
  logger: Logger;
}

type AnyHandler = (
  call: BrowserCall | PublicCall | ReportCall,
  input: { params: unknown; query: unknown; body: unknown },
) => Promise<unknown>;

/** Mounts every route of the contract: authentication, permission, input, use case, response schema. */
export function mountRoutes(app: FastifyInstance, deps: MountDeps, handlers: Handlers): void {
  const files = makeStreamedFiles(() => deps.isBusy?.() ?? false);
  for (const route of adminRoutes)
    mount(app, { deps, files }, route, handlers[route.operationId] as AnyHandler);
  for (const path of new Set(adminRoutes.map((route) => route.path))) {
    const allow = methodsOf(path).join(", ");
    app.options(toFastifyPath(path), (_, reply) => reply.code(204).header("allow", allow).send());
  }
}

interface Mounting {
  deps: MountDeps;
  files: StreamedFiles;
}

function mount(
  app: FastifyInstance,
  { deps, files }: Mounting,
  route: RouteSpec,
  handler: AnyHandler,
): void {
  // A route without an action would be open to everyone. The types forbid it, and so does this assertion.
  assert(route.action, `${route.operationId} names the action it needs`);
  assert(handler, `${route.operationId} has a handler`);
  const calls = new WeakMap<FastifyRequest, BrowserCall | PublicCall>();
  app.route({
    method: route.method,
    url: toFastifyPath(route.path),
    ...(route.maxBodyBytes !== undefined && { bodyLimit: route.maxBodyBytes }),
    // Runs before the body is read, so a refused caller's body is ignored.
    onRequest: async (request, reply) => {
      const origin = readOrigin(deps, request);
      const browser = browserOf(request, reply);
      const { action } = route;
      if (action === "public") {
        if (isChange(request)) checkConsoleRequest(consoleRequestOf(request), deps.publicOrigin);
        calls.set(request, { origin, browser });
        return;
      }
      const caller = await authenticate(deps, identityOf(deps, route, request));
      reply.header("anthropic-organization-id", caller.organizationId);
      const call = { caller, origin, browser };
      calls.set(request, call);
      await reportDenials(deps, route, call, async () => authorize(caller, action));
      // Not a denial: the same call succeeds after the person confirms its identity.
      if (route.stepUp === true) checkStepUp(caller, deps.nowMs());
    },
    handler: async (request, reply) => {
      const call = calls.get(request);
      assert(call, "a handler runs for an authenticated request");
      const input = readInput(route, request);
      if (route.streams && "caller" in call) closeWithReply(reply, files.open(call.caller));
      const stream = (answer: unknown) =>
        sendStream(reply, answer as StreamedAnswer, {
          waitForTurn: files.waitForTurn,
          onError: (error) =>
            deps.logger.error(
              { err: error, requestId: request.id },
              "a streamed response was cut off",
            ),
        });
      if (route.isReport) {
        const report = await openReport(deps.reportsDatabase, input);
        const answer = await handler({ ...call, reader: report.reader }, report.input);
        report.setHeaders(reply);
        if (route.streams) return stream(answer);
        const { response } = route;
        return sendText(reply, JSON.stringify(response.parse(report.stampNextPage(answer))));
      }
      if (route.streams) return stream(await handler(call, input));
      // Only fields that the contract declares leave the server.
      const answer = async (call: BrowserCall | PublicCall) =>
        JSON.stringify(route.response.parse(await handler(call, input)));
      if (!("caller" in call)) return sendText(reply, await answer(call));
      const claimed = readClaim(route, call.caller, request);
      return reportDenials(deps, route, call, async () => {
        if (claimed === null) return sendText(reply, await answer(call));
        const claim = deps.claims.claim(claimed);
        const text = await answerOnce(deps.claims, claim, () =>
          answer({ ...call, origin: { ...call.origin, claim } }),
        );
        if (claim.isReplayed) reply.header("idempotency-replayed", "true");
        return sendText(reply, text);
      });
    },
  });
}

/** Calls `close` when the response is sent or its client has left. */
function closeWithReply(reply: FastifyReply, close: () => void): void {
  reply.raw.once("finish", close);
  reply.raw.once("close", close);
}

/** Returns the stored response of this request, or stores the new one. */
async function answerOnce(
  claims: ClaimedChanges,
  claim: Claim,
  answer: () => Promise<string>,
): Promise<string> {
  const before = await claims.findResponse(claim);
  if (before !== null) {
    claim.isReplayed = true;
    return before;
  }
  const text = await answer();
  await claims.saveResponse(claim, text);
  return text;
}

async function reportDenials<Result>(
  deps: MountDeps,
  route: RouteSpec,
  { caller, origin }: Call,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const isDenial =
      error instanceof ApiError &&
      (error.status === 403 || (error.status === 404 && route.audited !== null));
    if (isDenial) deps.onDenied?.(caller, route, origin, error);
    throw error;
  }
}

function readInput(route: RouteSpec, request: FastifyRequest) {
  const { params, query, body } = route;
  const fields = readQueryFields(route, request);
  checkText(request.params as Record<string, unknown>);
  checkText(fields);
  return {
    params: params && validate(params, request.params),
    query: query ? validate(query, fields) : refuseFields(fields),
    body: body
      ? validate(body, readBody(request, route.bodyFile))
      : refuseFields(readOptionalBody(request)),
  };
}

/** Query without `beta=true`, which SDKs up to 0.137 add to every official path. Here it has no meaning. */
function readQueryFields(route: RouteSpec, request: FastifyRequest): Record<string, unknown> {
  const { beta, ...fields } = request.query as Record<string, unknown>;
  const isOfficial = route.path.startsWith("/v1/organizations/");
  return isOfficial && beta === "true" ? fields : (request.query as Record<string, unknown>);
}

/** Refuses fields on a route without a body or query, because ignoring them would hide a mistake. */
function refuseFields(fields: unknown): undefined {
  const [name] = Object.keys(fields ?? {});
  if (name !== undefined) {
    throw refuseField(name.slice(0, 100), "there is no such field here.");
  }
}

function readBody(
  request: FastifyRequest,
  bodyFile?: RouteSpec["bodyFile"],
): Record<string, unknown> {
  const { body } = request;
  if (!Buffer.isBuffer(body) || body.length === 0) {
    throw new ApiError("invalid_body", "The request body is empty: expected a JSON object.");
  }
  if (request.headers["content-encoding"] !== undefined) {
    throw new ApiError(
      "request_body_encoding_unsupported",
      "content-encoding: expected none. Compressed request bodies are not supported.",
    );
  }
  const type = request.headers["content-type"] ?? "";
  if (bodyFile !== undefined && isOfType(type, bodyFile.mediaType)) {
    return { [bodyFile.field]: body.toString() };
  }
  if (!isOfType(type, "application/json")) {
    const expected = ["application/json", bodyFile?.mediaType].filter((each) => each).join(" or ");
    throw new ApiError(
      "invalid_header",
      `content-type: expected ${expected}.`,
      {},
      { header: "content-type" },
    );
  }
  return readJsonObject(body);
}

/** True for the media type, in UTF-8. */
function isOfType(type: string, mediaType: string): boolean {
  const [written = "", ...parameters] = type.split(";").map((part) => part.trim().toLowerCase());
  return written === mediaType && parameters.every((each) => /^charset="?utf-8"?$/.test(each));
}

function readOptionalBody(request: FastifyRequest): Record<string, unknown> {
  const { body } = request;
  return Buffer.isBuffer(body) && body.length > 0 ? readBody(request) : {};
}

function identityOf(deps: MountDeps, route: RouteSpec, request: FastifyRequest) {
  const { headers } = request;
  const xApiKey = headers["x-api-key"];
  return {
    xApiKey: typeof xApiKey === "string" ? xApiKey : undefined,
    authorization: headers.authorization,
    address: () => deps.clientAddress(request.raw),
    cookie: headers.cookie,
    // Official routes are for programs, so sessions are not accepted there.
    console: route.path.startsWith("/v1/admin/") ? consoleRequestOf(request) : null,
    operatorUid: deps.isLocalOperator(request.raw.socket),
  };
}

function consoleRequestOf(request: FastifyRequest): ConsoleRequest {
  const { headers } = request;
  const marker = headers["x-bursar-console"];
  return {
    isChange: isChange(request),
    marker: typeof marker === "string" ? marker : undefined,
    origin: headers.origin,
    host: headers.host,
    contentType: headers["content-type"],
  };
}

function isChange(request: FastifyRequest): boolean {
  return request.method !== "GET" && request.method !== "HEAD";
}

function browserOf(request: FastifyRequest, reply: FastifyReply): Browser {
  return {
    cookies: request.headers.cookie ?? "",
    origin: request.headers.origin ?? null,
    setCookies: (lines) => {
      if (lines.length > 0) reply.header("set-cookie", [...lines]);
    },
  };
}

export function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  return sendText(reply, JSON.stringify(value));
}

function sendText(reply: FastifyReply, json: string): FastifyReply {
  return reply.type("application/json").send(json);
}

function methodsOf(path: string): string[] {
  const methods = adminRoutes.filter((route) => route.path === path).map((route) => route.method);
  return methods.includes("GET") ? [...methods, "HEAD", "OPTIONS"] : [...methods, "OPTIONS"];
}

function toFastifyPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ":$1");
}
