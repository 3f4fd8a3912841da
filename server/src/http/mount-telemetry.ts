import type { FastifyInstance, FastifyRequest } from "fastify";
import type { TelemetryExport } from "#src/claude-code/telemetry/mark-export.ts";
import type { Telemetry } from "#src/claude-code/telemetry/telemetry-relay.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { LaptopClaims } from "#src/key-lookup/access-tokens.ts";
import { authenticateLaptop, type LaptopDeps } from "#src/key-lookup/authenticate-laptop.ts";
import { assert } from "#src/lib/assert.ts";
import type { ClientFacts } from "./client-address.ts";
import { sendJson } from "./mount-routes.ts";
import { formatProtocol } from "./protocol-text.ts";
import { readBearer } from "./read-bearer.ts";

export interface MountTelemetryDeps extends LaptopDeps {
  clientAddress: ClientFacts["clientAddress"];
  telemetry: Telemetry;
}

const MAX_BODY_BYTES = 4 * 1024 * 1024;
const JSON_TYPE = "application/json";
const PROTOBUF = "application/x-protobuf";

/**
 * Mounts the addresses at which Claude Code exports telemetry, and the text about all of its addresses. Exporters log an error
 * at each export without a 200, so the response does not wait for the receiver.
 */
export function mountTelemetry(app: FastifyInstance, deps: MountTelemetryDeps): void {
  const senders = new WeakMap<FastifyRequest, LaptopClaims>();
  for (const signal of ["metrics", "logs", "traces"] as const) {
    app.route({
      method: "POST",
      url: `/v1/${signal}`,
      bodyLimit: MAX_BODY_BYTES,
      // Runs before the body is read, so a refused caller's body is ignored.
      onRequest: async (request, reply) => {
        reply.headers({ "x-should-retry": "false" });
        const token = readBearer(request.headers.authorization);
        const { claims } = await authenticateLaptop(deps, token, deps.clientAddress(request.raw));
        senders.set(request, claims);
        reply.removeHeader("x-should-retry");
      },
      handler: async (request, reply) => {
        const contentType = readType(request);
        const isCompressed = readEncoding(request);
        const { body } = request;
        const claims = senders.get(request);
        assert(claims, "a handler runs for an authenticated laptop");
        if (Buffer.isBuffer(body)) {
          deps.telemetry.relay({ signal, contentType, isCompressed, body, claims });
        }
        return contentType === JSON_TYPE
          ? sendJson(reply, {})
          : reply.type(PROTOBUF).send(Buffer.alloc(0));
      },
    });
  }
  const text = formatProtocol();
  app.get("/protocol", async (_, reply) => reply.type("text/markdown; charset=utf-8").send(text));
}

function readType(request: FastifyRequest): TelemetryExport["contentType"] {
  const [type = ""] = (request.headers["content-type"] ?? "").split(";");
  const name = type.trim().toLowerCase();
  if (name === JSON_TYPE || name === PROTOBUF) return name;
  throw makeHeaderError("content-type", `expected ${JSON_TYPE} or ${PROTOBUF}`);
}

/** True for gzip. */
function readEncoding(request: FastifyRequest): boolean {
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding === "gzip" || encoding === "identity") return encoding === "gzip";
  throw makeHeaderError("content-encoding", "expected gzip or none");
}

function makeHeaderError(header: string, fault: string): ApiError {
  const noRetry = { "x-should-retry": "false" };
  return new ApiError("invalid_header", `${header}: ${fault}.`, noRetry, { header });
}
