import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import { StartError } from "#src/lib/start-error.ts";

/**
 * The client's address: the socket's, unless that is a trusted proxy; then the nearest address in `X-Forwarded-For`
 * that is not one. What stands further left was written by somebody we do not know, and is not believed.
 * `trusted` holds addresses and CIDR ranges. Throws a StartError for one that is neither.
 */
export function makeClientAddress(
  trusted: readonly string[],
): (request: IncomingMessage) => string | null {
  const proxies = new BlockList();
  for (const text of trusted) addRange(proxies, text);
  // Asked for each request, and mostly in vain: a check of the list takes 1 µs.
  const isTrusted = (address: string) =>
    trusted.length > 0 && proxies.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");

  return (request) => {
    const socketAddress = withoutMapping(request.socket.remoteAddress ?? "");
    if (isIP(socketAddress) === 0) return null;
    if (!isTrusted(socketAddress)) return socketAddress;
    const forwarded = forwardedAddresses(request.headers["x-forwarded-for"]);
    let nearest = socketAddress;
    for (const address of forwarded.reverse()) {
      if (isIP(address) === 0) return nearest;
      nearest = address;
      if (!isTrusted(address)) return address;
    }
    return nearest;
  };
}

function forwardedAddresses(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(",") : (header ?? "");
  return text.split(",").map((part) => withoutMapping(part.trim()));
}

/** An IPv4 client of a dual-stack listener appears as ::ffff:10.0.0.1. */
function withoutMapping(address: string): string {
  return address.startsWith("::ffff:") && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}

function addRange(list: BlockList, text: string): void {
  const [address = "", bits] = text.split("/");
  const version = isIP(address);
  const longest = version === 6 ? 128 : 32;
  const prefix = bits === undefined ? longest : Number(bits);
  if (version === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > longest) {
    throw new StartError(
      `BURSAR_TRUSTED_PROXIES: "${text}" is neither an address nor a range such as 10.0.0.0/8.`,
    );
  }
  list.addSubnet(address, prefix, version === 6 ? "ipv6" : "ipv4");
}
