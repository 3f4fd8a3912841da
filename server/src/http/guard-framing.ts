import type { RequestListener } from "node:http";
import type { Socket } from "node:net";
import { idPrefixes } from "@bursar/contract/ids.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { toErrorBody } from "#src/domain/error-body.ts";
import { findFramingFault } from "#src/http1/framing-fault.ts";
import { systemClock } from "#src/lib/clock.ts";
import { newId } from "#src/lib/ids.ts";

/**
 * Returns a function that guards listeners of one node:http server. A request with a framing fault gets a 400, and its
 * connection ends. Bytes after it may belong to its body, so no later request of the connection is served.
 */
export function makeFramingGuard(): (serve: RequestListener) => RequestListener {
  const refused = new WeakSet<Socket>();
  return (serve) => (request, response) => {
    if (refused.has(request.socket)) return;
    const fault = findFramingFault(request);
    if (fault === null) {
      serve(request, response);
      return;
    }
    refused.add(request.socket);
    const requestId = newId(idPrefixes.request, systemClock.nowMs());
    const refusal = new ApiError("invalid_http", fault);
    const headers = {
      "content-type": "application/json",
      "request-id": requestId,
      connection: "close",
    };
    response.writeHead(refusal.status, headers);
    response.end(JSON.stringify(toErrorBody(refusal, requestId)));
  };
}
