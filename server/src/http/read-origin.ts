import type { FastifyRequest } from "fastify";
import type { Origin } from "#src/domain/caller.ts";
import type { ClientFacts } from "./client-address.ts";

const MAX_USER_AGENT = 300;

/** Returns the origin of a request, for its audit events. */
export function readOrigin(
  { clientAddress }: Pick<ClientFacts, "clientAddress">,
  request: FastifyRequest,
): Origin & { userAgent: string | null } {
  return {
    requestId: request.id,
    ipAddress: clientAddress(request.raw),
    userAgent: request.headers["user-agent"]?.slice(0, MAX_USER_AGENT) ?? null,
  };
}
