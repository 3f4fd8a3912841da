import { ApiError } from "#src/domain/api-error.ts";
import type { ClientCall } from "#src/http1/client-call.ts";
import { CHAT_COMPLETIONS, findMeantPath, pathOf } from "./routes.ts";

const MAX_SHOWN_PATH_CHARACTERS = 200;

/** Makes the refusal of an unknown path. If only the base URL of the client is wrong, the message has the right one. */
export function makeNotFoundError(
  { method, target }: Pick<ClientCall, "method" | "target">,
  publicUrl: string | null,
): ApiError {
  const path = pathOf(target);
  const message = `Not found: ${method} ${path.slice(0, MAX_SHOWN_PATH_CHARACTERS)} is not served here.`;
  const meant = findMeantPath(method, path);
  return new ApiError(
    "route_not_found",
    meant === null ? message : `${message} ${describeBaseUrl(meant, publicUrl)}`,
  );
}

function describeBaseUrl(path: string, publicUrl: string | null): string {
  const origin = publicUrl ?? "the server's origin";
  if (path === CHAT_COMPLETIONS) {
    return `The path is ${path}. The OpenAI SDKs take a base URL that ends in /v1: ${origin}/v1.`;
  }
  return (
    `The path is ${path}. Set the base URL to ${origin}, without /v1. ` +
    "Only the Vercel AI SDK takes a base URL that ends in /v1."
  );
}
