import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { OauthError, refuseUnavailable } from "#src/claude-code/laptops/oauth-error.ts";
import { makeRedeemDeviceCode } from "#src/claude-code/laptops/redeem-device-code.ts";
import { refreshTokens } from "#src/claude-code/laptops/refresh-tokens.ts";
import { revokeToken } from "#src/claude-code/laptops/revoke-token.ts";
import { type SignInStartDeps, startSignIn } from "#src/claude-code/laptops/start-sign-in.ts";
import type { LaptopDeps } from "#src/key-lookup/authenticate-laptop.ts";
import { systemClock } from "#src/lib/clock.ts";
import type { ClientFacts } from "./client-address.ts";
import { readOrigin } from "./read-origin.ts";

export interface MountOauthDeps extends SignInStartDeps, LaptopDeps {
  clientAddress: ClientFacts["clientAddress"];
  isDatabaseAway: (error: unknown) => boolean;
}

const MAX_BODY_BYTES = 64 * 1024;
const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(;.*)?$/i;
const DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

/**
 * Mounts the sign-in of Claude Code: metadata (RFC 8414), device authorization (RFC 8628), tokens and revocation (RFC 7009).
 * Clients have neither an id nor a secret. Unknown fields are ignored, and no answer is a redirect.
 */
export function mountOauth(app: FastifyInstance, deps: MountOauthDeps): void {
  const redeemDeviceCode = makeRedeemDeviceCode({ ...deps, clock: systemClock });

  app.get("/.well-known/oauth-authorization-server", (_, reply) =>
    reply.header("cache-control", "no-store").send(describeServer(deps.publicUrl())),
  );

  mount(app, deps, "/oauth/device_authorization", (request) =>
    startSignIn(deps, readOrigin(deps, request)),
  );

  mount(app, deps, "/oauth/token", (request) => {
    const form = readForm(request);
    switch (form.get("grant_type")) {
      case DEVICE_CODE_GRANT:
        return redeemDeviceCode(requireField(form, "device_code"));
      case "refresh_token":
        return refreshTokens(deps, readOrigin(deps, request), requireField(form, "refresh_token"));
      default:
        throw new OauthError(
          "unsupported_grant_type",
          `grant_type: expected ${DEVICE_CODE_GRANT} or refresh_token.`,
        );
    }
  });

  mount(app, deps, "/oauth/revoke", async (request) => {
    await revokeToken(deps, readOrigin(deps, request), requireField(readForm(request), "token"));
    return {};
  });
}

function describeServer(issuer: string) {
  return {
    issuer,
    device_authorization_endpoint: `${issuer}/oauth/device_authorization`,
    token_endpoint: `${issuer}/oauth/token`,
    revocation_endpoint: `${issuer}/oauth/revoke`,
    grant_types_supported: [DEVICE_CODE_GRANT, "refresh_token"],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: ["none"],
    gateway_protocol_version: 1,
  };
}

function mount(
  app: FastifyInstance,
  deps: MountOauthDeps,
  url: string,
  answer: (request: FastifyRequest) => Promise<object>,
): void {
  app.route({
    method: "POST",
    url,
    bodyLimit: MAX_BODY_BYTES,
    handler: async (request, reply) => {
      reply.header("cache-control", "no-store");
      try {
        return await reply.send(await answer(request));
      } catch (error) {
        if (error instanceof OauthError) return sendOauthError(reply, error);
        if (deps.isDatabaseAway(error)) return sendOauthError(reply, refuseUnavailable());
        throw error;
      }
    },
  });
}

function sendOauthError(reply: FastifyReply, error: OauthError): FastifyReply {
  if (error.status === 401) reply.header("x-should-retry", "false");
  if (error.retryAfter !== null) reply.header("retry-after", String(error.retryAfter));
  return reply.code(error.status).send({ error: error.code, error_description: error.message });
}

function readForm(request: FastifyRequest): URLSearchParams {
  const { body } = request;
  if (!FORM_TYPE.test(request.headers["content-type"] ?? "")) {
    throw new OauthError(
      "invalid_request",
      "content-type: expected application/x-www-form-urlencoded.",
    );
  }
  return new URLSearchParams(Buffer.isBuffer(body) ? body.toString() : "");
}

function requireField(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (value) return value;
  throw new OauthError("invalid_request", `${name}: expected a text.`);
}
