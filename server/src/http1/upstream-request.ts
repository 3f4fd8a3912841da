import type { HttpRequest } from "#src/lib/http-client.ts";
import { UpstreamError } from "./upstream-error.ts";

// The readers of requests refuse these characters already. The check is repeated here, because a line end in the path
// would add a header or a request.
const INVALID_TARGET = /[^\x21-\xff]/;

/**
 * Formats the head of a request with its empty line, in latin1. `host` is the value of the header. Throws an UpstreamError
 * for a path that would change the structure of the request.
 */
export function formatRequestHead(
  { method, path, headers, body }: HttpRequest,
  host: string,
): string {
  if (path[0] !== "/" || INVALID_TARGET.test(path)) {
    throw new UpstreamError("UND_ERR_INVALID_ARG", "the path of the request is invalid");
  }
  const start = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
  const length = method === "POST" ? `content-length: ${body?.length ?? 0}\r\n` : "";
  return `${start}${headers.text}${length}\r\n`;
}
