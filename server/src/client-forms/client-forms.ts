import type { ClientCall } from "#src/http1/client-call.ts";
import { makeChatCall } from "./chat-completions/chat-call.ts";

// Requests in the form of another API that become requests of the Claude API.

/** The part of the gateway that serves official requests. */
interface OfficialApi {
  handles(method: string, target: string): boolean;
  handle(call: ClientCall): Promise<void>;
}

/** Converts a call of a client to the official one. */
type ClientForm = (call: ClientCall, nowMs: () => number) => ClientCall;

/** Returns the gateway for official requests and for those of other forms. `nowMs`: milliseconds since the epoch. */
export function addClientForms(gateway: OfficialApi, nowMs: () => number): OfficialApi {
  return {
    handles: (method, target) =>
      findClientForm(method, target) !== null || gateway.handles(method, target),
    handle(call) {
      const form = findClientForm(call.method, call.target);
      return gateway.handle(form === null ? call : form(call, nowMs));
    },
  };
}

/** Finds the form of a request. Null: an official one. */
function findClientForm(method: string, target: string): ClientForm | null {
  // Nearly all requests are official messages.
  if (method !== "POST" || target.startsWith("/v1/messages")) return null;
  const query = target.indexOf("?");
  const path = query === -1 ? target : target.slice(0, query);
  return path === "/v1/chat/completions" ? makeChatCall : null;
}
