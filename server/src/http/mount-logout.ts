import type { FastifyInstance, FastifyRequest } from "fastify";
import { ApiError } from "#src/domain/api-error.ts";
import { type LogoutDeps, makeProviderLogout } from "#src/people/directory/back-channel-logout.ts";
import { LOGOUT_PATH } from "#src/people/directory/issuer.rule.ts";
import { checkText } from "./check-text.ts";
import type { ClientFacts } from "./client-address.ts";
import { readOrigin } from "./read-origin.ts";

export interface MountLogoutDeps extends LogoutDeps {
  clientAddress: ClientFacts["clientAddress"];
}

const MAX_BODY_BYTES = 64 * 1024;
const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(;.*)?$/i;

/** Mounts the address at which providers report a logout. Their requests are forms, without a caller. */
export function mountLogout(app: FastifyInstance, deps: MountLogoutDeps): void {
  const logOut = makeProviderLogout(deps);
  app.route({
    method: "POST",
    url: `${LOGOUT_PATH}/:directory_id`,
    bodyLimit: MAX_BODY_BYTES,
    handler: async (request, reply) => {
      const origin = readOrigin(deps, request);
      const params = request.params as { directory_id: string };
      checkText(params);
      const { directory_id: directoryId } = params;
      const token = readToken(request);
      reply.header("cache-control", "no-store");
      await logOut(origin, { directoryId, token });
      return reply.send();
    },
  });
}

function readToken(request: FastifyRequest): string {
  const { body } = request;
  if (!FORM_TYPE.test(request.headers["content-type"] ?? "")) {
    throw new ApiError(
      "invalid_header",
      "content-type: expected application/x-www-form-urlencoded.",
      {},
      { header: "content-type" },
    );
  }
  const text = Buffer.isBuffer(body) ? body.toString() : "";
  const tokens = new URLSearchParams(text).getAll("logout_token");
  const [token] = tokens;
  if (tokens.length === 1 && token) return token;
  throw new ApiError("directory_logout_invalid", "The form has no logout_token, or several.");
}
