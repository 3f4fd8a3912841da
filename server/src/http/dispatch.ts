import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { addClientForms, type FormDeps } from "#src/client-forms/client-forms.ts";
import type { Gateway } from "#src/gateway/handle-request.ts";
import type { ClientCall } from "#src/http1/client-call.ts";
import { serveNodeRequest } from "#src/http1/node-call.ts";

/**
 * Serves both APIs on one port. The request's target decides which one responds. `handles` and `handle` serve requests of
 * the Claude API without node:http, also those in another form and those of pages.
 */
export function dispatch(
  official: Gateway,
  admin: Pick<FastifyInstance, "routing">,
  forms: FormDeps,
) {
  const gateway = addClientForms(official, forms);
  const handleCall = (call: ClientCall) => void gateway.handle(call);
  const serve =
    (isBodyWithheld: boolean) => (request: IncomingMessage, response: ServerResponse) => {
      if (gateway.handles(request.method ?? "", request.url ?? "")) {
        serveNodeRequest(request, response, isBodyWithheld, handleCall);
        return;
      }
      if (isBodyWithheld) response.writeContinue();
      admin.routing(request, response);
    };
  return {
    onRequest: serve(false),
    onCheckContinue: serve(true),
    handles: gateway.handles,
    handle: handleCall,
  };
}
