import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { BlockList, isIP, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { HeaderFields } from "#src/lib/header-fields.ts";
import { StartError } from "#src/lib/start-error.ts";

/** Facts about the client of a request. Headers count only if a trusted proxy sent them. */
export interface ClientFacts {
  /** The client's address. Null: the request came over a local socket. */
  clientAddress: (request: AddressedRequest) => string | null;
  /** True if the request came over TLS, to this process or to the proxy. */
  isEncrypted: (request: IncomingMessage) => boolean;
}

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
export function makeClientAddress(trusted: readonly string[]): ClientFacts["clientAddress"] {
  const isTrusted = makeIsTrusted(trusted);
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

/**
 * Reads the proxies of `BURSAR_TRUSTED_PROXIES` for all facts about clients. `X-Forwarded-Proto` has the protocol of the
 * client's connection. Throws a StartError for text that is no address and no range.
 */
export function makeClientFacts(trusted: readonly string[]): ClientFacts {
  const isTrusted = makeIsTrusted(trusted);
  return {
    clientAddress: makeClientAddress(trusted),
    isEncrypted: ({ socket, headers }) => {
      if (socket instanceof TLSSocket) return true;
      const address = unmapAddress(socket.remoteAddress ?? "");
      if (isIP(address) === 0 || !isTrusted(address)) return false;
      const [first = ""] = String(headers["x-forwarded-proto"] ?? "").split(",");
      return first.trim().toLowerCase() === "https";
    },
  };
}

function makeIsTrusted(trusted: readonly string[]): (address: string) => boolean {
  const proxies = new BlockList();
  for (const text of trusted) addRange(proxies, text);
  // Runs for each request, usually without a match. A check of the list takes 1 µs.
  return (address) =>
    trusted.length > 0 && proxies.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
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
