import type { ClaudeAction } from "@bursar/contract/permissions.ts";
import { findObjectRoute, type ObjectRoute } from "./object-routes.ts";

// Paths of the Claude API: those that the gateway serves, and those that get its 404. All paths under /v1/ belong to it,
// except the Admin API and exports of telemetry.

export type ClaudeRoute =
  | { kind: "messages"; action: ClaudeAction }
  | { kind: "count_tokens"; action: ClaudeAction }
  | { kind: "models"; action: ClaudeAction }
  | ObjectRoute
  | { kind: "hello" }
  | { kind: "not_found" };

const messages: ClaudeRoute = { kind: "messages", action: "messages:create" };
const countTokens: ClaudeRoute = { kind: "count_tokens", action: "messages:count" };
const models: ClaudeRoute = { kind: "models", action: "models:read" };
const hello: ClaudeRoute = { kind: "hello" };
export const notFound: ClaudeRoute = { kind: "not_found" };

/** Finds the route of a request target, without its query string. Null: the target does not belong to the Claude API. */
export function findRoute(method: string, target: string): ClaudeRoute | null {
  const path = pathOf(target);
  if (path === "/v1/messages") return method === "POST" ? messages : notFound;
  if (path === "/v1/messages/count_tokens") return method === "POST" ? countTokens : notFound;
  if (path === "/api/hello") return method === "HEAD" ? hello : notFound;
  if (!path.startsWith("/v1/")) return findMeantPath(method, path) === null ? null : notFound;
  if (isUnder(path, "/v1/admin") || isUnder(path, "/v1/organizations")) return null;
  if (path === "/v1/models" || isModelPath(path)) return method === "GET" ? models : notFound;
  if (method === "POST" && telemetryPaths.has(path)) return null;
  return findObjectRoute(method, path) ?? notFound;
}

/** Exports of telemetry by Claude Code, which the Admin API's app serves. */
const telemetryPaths: ReadonlySet<string> = new Set(["/v1/metrics", "/v1/logs", "/v1/traces"]);

/**
 * Finds the path that a client with a wrong base URL means, or null: `/v1/messages` for `/messages`, `/v1/v1/messages`,
 * `/v1/messages/` and `//v1/messages`. Only for POST, because a GET can be for the console.
 */
export function findMeantPath(method: string, path: string): string | null {
  if (method !== "POST" || path.length > MAX_MISTAKEN_CHARACTERS) return null;
  const segments = path.split("/").filter((segment) => segment !== "");
  while (segments[0] === "v1") segments.shift();
  const meant = `/v1/${segments.join("/")}`;
  return meant !== path && servedPosts.has(meant) ? meant : null;
}

const MAX_MISTAKEN_CHARACTERS = 100;
export const CHAT_COMPLETIONS = "/v1/chat/completions";
const servedPosts: ReadonlySet<string> = new Set([
  "/v1/messages",
  "/v1/messages/count_tokens",
  CHAT_COMPLETIONS,
]);

/** The path of a request target, without its query string. */
export function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query === -1 ? target : target.slice(0, query);
}

const MODELS = "/v1/models/";
// No slash, no percent sign and not only dots, so that the upstream reads the same path.
const MODEL_ID = /^(?!\.+$)[A-Za-z0-9._:@~-]{1,256}$/;

function isModelPath(path: string): boolean {
  return path.startsWith(MODELS) && MODEL_ID.test(path.slice(MODELS.length));
}

function isUnder(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
