import type { IncomingHttpHeaders } from "node:http";
import { BlockList, isIP, type Socket } from "node:net";
import type { HeaderFields } from "#src/lib/header-fields.ts";
import { StartError } from "#src/lib/start-error.ts";

/** A request whose sender has an address. */
type AddressedRequest = { socket: Pick<Socket, "remoteAddress"> } & (
  | { headers: IncomingHttpHeaders }
  | { fields: HeaderFields }
);

/**
 * Returns a function that finds a client's address: the socket's address, unless that is a trusted proxy. Then the
 * nearest address in `X-Forwarded-For` that is no trusted proxy. Addresses further left are untrusted input. `trusted`
 * holds addresses and CIDR ranges. Throws a StartError for other text.
 */
export function makeClientAddress(
  trusted: readonly string[],
): (request: AddressedRequest) => string | null {
  const proxies = new BlockList();
  for (const text of trusted) addRange(proxies, text);
  // Runs for each request, usually without a match. A check of the list takes 1 µs.
  const isTrusted = (address: string) =>
    trusted.length > 0 && proxies.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");

  return (request) => {
    const socketAddress = unmapAddress(request.socket.remoteAddress ?? "");
    if (isIP(socketAddress) === 0) return null;
    if (!isTrusted(socketAddress)) return socketAddress;
    const forwarded = readForwardedAddresses(findForwarded(request));
    let nearest = socketAddress;
    for (const address of forwarded.reverse()) {
      if (isIP(address) === 0) return nearest;
      nearest = address;
      if (!isTrusted(address)) return address;
    }
    return nearest;
  };
}

function findForwarded(request: AddressedRequest): string | string[] | undefined {
  if ("fields" in request) return request.fields.find("x-forwarded-for");
  return request.headers["x-forwarded-for"];
}

function readForwardedAddresses(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(",") : (header ?? "");
  return text.split(",").map((part) => unmapAddress(part.trim()));
}

/** Converts ::ffff:10.0.0.1 of a dual-stack listener to an IPv4 address. */
function unmapAddress(address: string): string {
  return address.startsWith("::ffff:") && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}

function addRange(list: BlockList, text: string): void {
  const [address = "", bits] = text.split("/");
  const version = isIP(address);
  const longest = version === 6 ? 128 : 32;
  const prefix = bits === undefined ? longest : Number(bits);
  if (version === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > longest) {
    throw new StartError(
      `BURSAR_TRUSTED_PROXIES: "${text}" is neither an IP address nor a range such as 10.0.0.0/8.`,
    );
  }
  list.addSubnet(address, prefix, version === 6 ? "ipv6" : "ipv4");
}
