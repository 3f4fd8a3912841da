import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import { type Exchange, isClientGone } from "./exchange.ts";
import { ObjectCall, type ObjectCallDeps, type ObjectServer } from "./object-call.ts";
import type { ObjectRoute } from "./object-routes.ts";
import { codeOf } from "./relay-failure.ts";
import type { RelayDeps } from "./relay-response.ts";

export interface ServeObjectDeps extends ObjectCallDeps {
  objects: ObjectServer;
  onDone: RelayDeps["onDone"];
}

/** Serves a call about a stored object. False: the client left without an answer. Rejects with the refusal of the call. */
export async function serveObject(
  deps: ServeObjectDeps,
  exchange: Exchange,
  accepted: { route: ObjectRoute; key: FoundKey },
): Promise<boolean> {
  const { call, requestId } = exchange;
  const objectCall = new ObjectCall(deps, exchange, accepted);
  exchange.relay = objectCall;
  try {
    await deps.objects.serve(objectCall);
  } catch (error) {
    if (!call.isHeadSent) {
      // A refusal ends the exchange itself.
      exchange.relay = null;
      throw error;
    }
    // Only a broken connection shows the client that the rest is missing.
    if (!isClientGone(exchange)) {
      deps.logger.warn({ requestId, code: codeOf(error) }, "an answer about an object broke");
    }
    call.destroy();
    deps.onDone(exchange, "interrupted", call.status);
    return true;
  } finally {
    objectCall.closeBody();
  }
  if (call.status === null) return false;
  deps.onDone(exchange, call.status < 400 ? "answered" : "refused", call.status);
  return true;
}
