import type { ClientCall } from "#src/http1/client-call.ts";
import { answerPreflight, isPreflight, makeBrowserCall, type PageOrigins } from "./browser-call.ts";
import { makeChatCall } from "./chat-completions/chat-call.ts";
import { makeBedrockCall } from "./platforms/bedrock-call.ts";
import { makeMantleCall } from "./platforms/mantle-call.ts";
import { makeVertexCall } from "./platforms/vertex-call.ts";

// Requests in the form of another API that become requests of the Claude API.

/** The part of the gateway that serves official requests. */
interface OfficialApi {
  handles(method: string, target: string): boolean;
  handle(call: ClientCall): Promise<void>;
}

export interface FormDeps {
  /** Milliseconds since the epoch. */
  nowMs: () => number;
  origins: PageOrigins;
}

/** Returns the gateway for official requests, for those of other forms, and for pages in browsers. */
export function addClientForms(gateway: OfficialApi, { nowMs, origins }: FormDeps): OfficialApi {
  return {
    handles: (method, target) => isOtherForm(method, target) || gateway.handles(method, target),
    async handle(call) {
      const origin = call.fields.find("origin");
      if (origin !== undefined && isPreflight(call)) {
        answerPreflight(call, origin, origins);
        return;
      }
      const sent = origin === undefined ? call : makeBrowserCall(call, origin, origins);
      const isOther = isOtherForm(sent.method, sent.target);
      await gateway.handle(isOther ? toOfficialCall(sent, nowMs) : sent);
    },
  };
}

/** True for a request in another form, and for a path under the address of a platform. */
function isOtherForm(method: string, target: string): boolean {
  // Nearly all requests are official messages.
  if (target.startsWith("/v1/messages")) return false;
  if (target.startsWith(BEDROCK) || target.startsWith(VERTEX)) return true;
  return method === "POST" && pathOf(target) === CHAT;
}

const CHAT = "/v1/chat/completions";
const BEDROCK = "/bedrock/";
const VERTEX = "/vertex/";

/** Converts a call. The gateway answers a path that no form has with its 404. */
function toOfficialCall(call: ClientCall, nowMs: () => number): ClientCall {
  const path = pathOf(call.target);
  if (path === CHAT) return makeChatCall(call, nowMs);
  if (call.method !== "POST") return call;
  if (path.startsWith(VERTEX)) return makeVertexCall(call, path) ?? call;
  return makeBedrockCall(call, path) ?? makeMantleCall(call, path) ?? call;
}

function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query === -1 ? target : target.slice(0, query);
}
