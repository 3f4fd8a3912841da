import type { IncomingMessage } from "node:http";

/**
 * Returns the fault of a request that another program could read in another way, as a sentence, or null. Examples are a
 * second Host, HTTP/2.0 on a plain line, and a coding before `chunked` (RFC 9112 §3.2 and §6.1). Requests like these pass
 * node:http. The readers of this room accept none of them.
 */
export function findFramingFault(
  request: Pick<IncomingMessage, "httpVersion" | "rawHeaders">,
): string | null {
  const { httpVersion, rawHeaders } = request;
  if (httpVersion !== "1.1" && httpVersion !== "1.0") {
    return "The version of the request line is not HTTP/1.1 or HTTP/1.0.";
  }
  let hosts = 0;
  let codings = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (isNamed(name, "host")) hosts++;
    if (!isNamed(name, "transfer-encoding")) continue;
    codings++;
    if ((rawHeaders[at + 1] as string).trim().toLowerCase() !== "chunked") {
      return "The transfer-encoding is not chunked.";
    }
  }
  if (hosts > 1) return "The request has more than one Host field.";
  if (codings > 1) return "The request has more than one transfer-encoding.";
  if (codings > 0 && httpVersion === "1.0") return "HTTP/1.0 has no transfer-encoding.";
  return null;
}

function isNamed(name: string, wanted: string): boolean {
  return name.length === wanted.length && name.toLowerCase() === wanted;
}
