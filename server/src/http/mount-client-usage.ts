import type { FastifyInstance } from "fastify";
import { ApiError } from "#src/domain/api-error.ts";
import {
  type ClientUsage,
  findActiveCap,
  toCappedUsage,
  toUncappedUsage,
} from "#src/domain/own-caps.ts";
import { authenticateLaptop, type LaptopDeps } from "#src/key-lookup/authenticate-laptop.ts";
import type { PersonScope, PersonSpend } from "#src/spend/ledger/person-spend.ts";
import type { ClientFacts } from "./client-address.ts";
import { readBearer } from "./read-bearer.ts";

export interface MountClientUsageDeps extends LaptopDeps {
  personSpend: Pick<PersonSpend, "readCaps" | "readSpend">;
  clientAddress: ClientFacts["clientAddress"];
}

/** Longest wait for the key of a laptop, milliseconds. */
const LOOKUP_MS = 2_000;

/**
 * Mounts the address at which Claude Code reads a person's own caps and spend. The figures are those of the headers of
 * responses.
 */
export function mountClientUsage(app: FastifyInstance, deps: MountClientUsageDeps): void {
  const { accessTokens, keys, nowMs } = deps;
  // The answer needs PostgreSQL, so a slow one gets time. Clients wait 5 s.
  const laptops: LaptopDeps = { accessTokens, keys, nowMs, lookupMs: LOOKUP_MS };
  app.route({
    method: "GET",
    url: "/api/oauth/usage",
    handler: async (request, reply) => {
      // Otherwise clients repeat a refused request for minutes.
      reply.headers({ "x-should-retry": "false", "cache-control": "no-store" });
      const token = readBearer(request.headers.authorization);
      const address = deps.clientAddress(request.raw);
      const { claims, key } = await authenticateLaptop(laptops, token, address);
      if (key === null) throw makeUnavailableError();
      const { organizationId, memberId } = claims;
      const usage = await readUsage(deps, { organizationId, memberId, apiKeyId: key.id });
      reply.removeHeader("x-should-retry");
      return reply.type("application/json").send(JSON.stringify(usage));
    },
  });
}

async function readUsage(
  { personSpend }: MountClientUsageDeps,
  person: PersonScope,
): Promise<ClientUsage> {
  const caps = await personSpend.readCaps(person);
  const active = findActiveCap(caps);
  if (active !== null) return toCappedUsage(caps, active);
  return toUncappedUsage(await personSpend.readSpend(person));
}

function makeUnavailableError(): ApiError {
  return new ApiError(
    "database_unavailable",
    "The sign-in of this laptop cannot be checked right now, because the server's database does not respond.",
    { "retry-after": "1" },
  );
}
