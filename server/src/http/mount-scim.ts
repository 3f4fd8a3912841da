import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "#src/domain/api-error.ts";
import { assert } from "#src/lib/assert.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { FeedCall } from "#src/people/scim/change-people.ts";
import { makeFeedRate } from "#src/people/scim/feed-rate.ts";
import { answerScim, authenticateFeed } from "#src/people/scim/scim-api.ts";
import { ScimFault } from "#src/people/scim/scim-fault.ts";
import { SCIM_PATH, type ScimDeps } from "#src/people/scim/scim-response.ts";
import type { ClientFacts } from "./client-address.ts";
import { makeErrorResponse } from "./errors.ts";
import { readJsonObject } from "./read-json.ts";
import { readOrigin } from "./read-origin.ts";

export interface MountScimDeps extends ScimDeps {
  clientAddress: ClientFacts["clientAddress"];
  isDatabaseAway: (error: unknown) => boolean;
  logger: Logger;
}

const MEDIA_TYPE = "application/scim+json";
const JSON_TYPE = /^application\/(scim\+)?json\s*(;.*)?$/i;

/** Mounts SCIM 2.0. Its errors have the body of RFC 7644. */
export function mountScim(app: FastifyInstance, deps: MountScimDeps): void {
  const rate = makeFeedRate(deps.nowMs);
  const calls = new WeakMap<FastifyRequest, FeedCall>();
  app.route({
    method: ["GET", "POST", "PUT", "PATCH", "DELETE"],
    url: `${SCIM_PATH}/*`,
    // Runs before the body is read, so a refused caller's body is ignored.
    onRequest: async (request) => {
      const origin = readOrigin(deps, request);
      const call = await authenticateFeed(deps, request.headers.authorization, origin);
      rate.take(call.tokenId);
      calls.set(request, call);
    },
    handler: async (request, reply) => {
      const call = calls.get(request);
      assert(call, "a handler runs for an authenticated request");
      const { status, headers, body } = await answerScim(deps, call, {
        method: request.method,
        path: (request.params as { "*": string })["*"],
        query: request.query as Record<string, unknown>,
        body: readBody(request),
      });
      reply.code(status).headers(headers);
      return body === null ? reply.send() : sendScim(reply, body);
    },
    errorHandler: (error, request, reply) => {
      const { status, scimType, detail, headers } = toScimError(deps, error, request.id);
      reply.code(status).headers(headers);
      return sendScim(reply, {
        schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
        status: String(status),
        ...(scimType !== null && { scimType }),
        detail,
      });
    },
  });
}

function readBody(request: FastifyRequest): Record<string, unknown> {
  const { body } = request;
  if (!Buffer.isBuffer(body) || body.length === 0) return {};
  if (!JSON_TYPE.test(request.headers["content-type"] ?? "")) {
    throw new ScimFault(415, null, `content-type: expected ${MEDIA_TYPE}.`);
  }
  return readJsonObject(body);
}

function toScimError(deps: MountScimDeps, error: unknown, requestId: string) {
  if (error instanceof ScimFault) {
    const { status, scimType, message: detail, headers } = error;
    return { status, scimType, detail, headers };
  }
  const { status, headers, body, isServerFault } = makeErrorResponse(
    error,
    requestId,
    deps.isDatabaseAway,
  );
  if (isServerFault) deps.logger.error({ err: error, requestId }, "a SCIM request failed");
  const scimType = error instanceof ApiError && status === 400 ? "invalidSyntax" : null;
  return { status, scimType, detail: body.error.message, headers };
}

function sendScim(reply: FastifyReply, body: object): FastifyReply {
  return reply.type(MEDIA_TYPE).send(JSON.stringify(body));
}
