import type { FastifyInstance, FastifyReply } from "fastify";
import type { ServedDocument, ServedSettings } from "#src/claude-code/settings/served-settings.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { authenticateLaptop, type LaptopDeps } from "#src/key-lookup/authenticate-laptop.ts";
import type { PersonSpend } from "#src/spend/ledger/person-spend.ts";
import type { ClientFacts } from "./client-address.ts";
import { readBearer } from "./read-bearer.ts";

export interface MountManagedSettingsDeps extends LaptopDeps {
  servedSettings: ServedSettings;
  personSpend: Pick<PersonSpend, "prepare">;
  clientAddress: ClientFacts["clientAddress"];
}

/**
 * Mounts the settings that clients of a company read at each start. A client that gets neither settings nor a 404 does not
 * start, so the response comes from memory.
 */
export function mountManagedSettings(app: FastifyInstance, deps: MountManagedSettingsDeps): void {
  app.route({
    method: "GET",
    url: "/managed/settings",
    handler: async (request, reply) => {
      // Otherwise clients repeat a refused request for three minutes.
      reply.headers({ "x-should-retry": "false", "cache-control": "private, no-cache" });
      reply.header("vary", "authorization");
      const token = readBearer(request.headers.authorization);
      const { claims, key } = await authenticateLaptop(
        deps,
        token,
        deps.clientAddress(request.raw),
      );
      const { organizationId, memberId } = claims;
      // The client sends a message next, and shows the spend that its response states.
      if (key !== null) deps.personSpend.prepare({ organizationId, memberId, apiKeyId: key.id });
      const document = deps.servedSettings.find({
        organizationId,
        // Without the database the groups are those of the last refresh of the token.
        groupIds: key?.groupIds ?? claims.groupIds,
        allowedModels: key?.allowedModels ?? null,
      });
      if (document === null) throw refuseAbsent();
      reply.removeHeader("x-should-retry");
      return sendDocument(reply, document, request.headers["if-none-match"]);
    },
  });
}

/** A 404, which clients read as no settings. */
function refuseAbsent(): ApiError {
  return new ApiError(
    "resource_not_found",
    "No managed settings apply to this member.",
    {},
    { resource: "managed_settings" },
  );
}

function sendDocument(
  reply: FastifyReply,
  { checksum, body }: ServedDocument,
  ifNoneMatch: string | undefined,
): FastifyReply {
  reply.header("etag", `"${checksum}"`);
  if (hasTag(ifNoneMatch, checksum)) return reply.code(304).send();
  return reply.type("application/json").send(body);
}

/** `*` is no match: a client that sends it has no copy. */
function hasTag(header: string | undefined, checksum: string): boolean {
  const tags = (header ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(`"${checksum}"`);
}
