import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import type { Gateway } from "../gateway/handle-request.ts";

/** Serves both APIs on one port. The request's target decides which one responds. */
export function dispatch(gateway: Gateway, admin: FastifyInstance) {
  const handle =
    (isBodyWithheld: boolean) => (request: IncomingMessage, response: ServerResponse) => {
      if (gateway.handles(request.method ?? "", request.url ?? "")) {
        void gateway.handle(request, response, isBodyWithheld);
        return;
      }
      if (isBodyWithheld) response.writeContinue();
      admin.routing(request, response);
    };
  return { onRequest: handle(false), onCheckContinue: handle(true) };
}
