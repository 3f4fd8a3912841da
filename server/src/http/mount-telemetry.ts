import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "#src/domain/api-error.ts";
import { authenticateLaptop, type LaptopDeps } from "#src/key-lookup/authenticate-laptop.ts";
import type { ClientFacts } from "./client-address.ts";
import { sendJson } from "./mount-routes.ts";
import { formatProtocol } from "./protocol-text.ts";
import { readBearer } from "./read-bearer.ts";

export interface MountTelemetryDeps extends LaptopDeps {
  clientAddress: ClientFacts["clientAddress"];
}

const MAX_BODY_BYTES = 4 * 1024 * 1024;
const PROTOBUF = "application/x-protobuf";

/**
 * Mounts the addresses at which Claude Code exports telemetry, and the text about all of its addresses. Exporters log an error
 * at each export without a 200. The telemetry is discarded.
 */
export function mountTelemetry(app: FastifyInstance, deps: MountTelemetryDeps): void {
  for (const signal of ["metrics", "logs", "traces"]) {
    app.route({
      method: "POST",
      url: `/v1/${signal}`,
      bodyLimit: MAX_BODY_BYTES,
      // Runs before the body is read, so a refused caller's body is ignored.
      onRequest: async (request, reply) => {
        reply.headers({ "x-should-retry": "false" });
        const token = readBearer(request.headers.authorization);
        await authenticateLaptop(deps, token, deps.clientAddress(request.raw));
        reply.removeHeader("x-should-retry");
      },
      handler: async (request, reply) => answer(request, reply),
    });
  }
  const text = formatProtocol();
  app.get("/protocol", async (_, reply) => reply.type("text/markdown; charset=utf-8").send(text));
}

/** Sends the empty answer of OTLP in the content type of the request. */
function answer(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [type = ""] = (request.headers["content-type"] ?? "").split(";");
  switch (type.trim().toLowerCase()) {
    case "application/json":
      return sendJson(reply, {});
    case PROTOBUF:
      return reply.type(PROTOBUF).send(Buffer.alloc(0));
    default:
      throw new ApiError(
        "invalid_header",
        `content-type: expected application/json or ${PROTOBUF}.`,
        { "x-should-retry": "false" },
        { header: "content-type" },
      );
  }
}
