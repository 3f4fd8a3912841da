import type { HttpRequest } from "#src/lib/http-client.ts";
import { UpstreamError } from "./upstream-error.ts";

// The readers of requests refuse these characters already. The check is repeated here, because a line end in a value
// would add a header or a request.
const INVALID_TARGET = /[^\x21-\xff]/;
const INVALID_NAME = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/;
const INVALID_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * Formats the head of a request with its empty line, in latin1. `host` is the value of the header. Throws an UpstreamError
 * for a target or a header that would change the structure of the request.
 */
export function formatRequestHead(
  { method, path, headers, body }: HttpRequest,
  host: string,
): string {
  if (path[0] !== "/" || INVALID_TARGET.test(path)) throw refuse("the path of the request");
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (name === "" || INVALID_NAME.test(name)) throw refuse("the name of a header");
    if (INVALID_VALUE.test(value)) throw refuse(`the header ${name}`);
    head += `${name}: ${value}\r\n`;
  }
  if (method === "POST") head += `content-length: ${body?.length ?? 0}\r\n`;
  return `${head}\r\n`;
}

function refuse(part: string): UpstreamError {
  return new UpstreamError("UND_ERR_INVALID_ARG", `${part} has an invalid character`);
}
