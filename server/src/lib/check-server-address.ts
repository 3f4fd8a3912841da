import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { connect } from "node:tls";
import ipaddr from "ipaddr.js";

// Check of a server's address by the rules with which Claude Code signs in to a gateway: https, and private addresses only.
// Plain http works with the names of this machine only.

export interface Certificate {
  /** SHA-256 of the leaf in lower-case hexadecimal. */
  sha256: string;
  expiresAtMs: number;
  /** True for a chain to one of the given authorities, and for the name of the host. */
  isTrusted: boolean;
}

export interface CheckedAddress {
  state: "ready" | "unencrypted" | "unresolved" | "public" | "unreachable";
  addresses: readonly string[];
  /** Null: no TLS, or no certificate was read. */
  certificate: Certificate | null;
}

/** Maximum duration of the connection, and of the query of the name. */
const TIMEOUT_MS = 3_000;
const PRIVATE_RANGES = new Set([
  "loopback",
  "private",
  "linkLocal",
  "carrierGradeNat",
  "uniqueLocal",
]);

/** Hosts with which Claude Code 2.1.332 accepts plain http. The client compares the text, not the address. */
const PLAIN_HOSTS: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "::1"]);

/** Resolves the host of an http or https URL, and reads the certificate there. `authorities`: in PEM. Default: those of Node. */
export async function checkServerAddress(
  url: string,
  authorities?: readonly string[],
): Promise<CheckedAddress> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const addresses = await resolve(host);
  const checked = { addresses, certificate: null };
  if (addresses.length === 0) return { ...checked, state: "unresolved" };
  if (protocol !== "https:") {
    return { ...checked, state: PLAIN_HOSTS.has(host) ? "ready" : "unencrypted" };
  }
  if (!addresses.every(isPrivateAddress)) return { ...checked, state: "public" };
  const certificate = await readCertificate({
    host,
    port: port === "" ? 443 : Number(port),
    ...(authorities && { ca: [...authorities] }),
  });
  return { ...checked, certificate, state: certificate === null ? "unreachable" : "ready" };
}

/** True for an address of a private network or of this machine. */
export function isPrivateAddress(address: string): boolean {
  return PRIVATE_RANGES.has(findRange(address));
}

function findRange(address: string): string {
  const [plain = ""] = address.split("%");
  return isIP(plain) === 0 ? "none" : ipaddr.process(plain).range();
}

/** Returns the addresses of a host. Empty: the name has none, or the query takes too long. */
async function resolve(host: string): Promise<string[]> {
  const { promise: late, resolve: giveUp } = Promise.withResolvers<[]>();
  const timer = setTimeout(giveUp, TIMEOUT_MS, []);
  try {
    const found = await Promise.race([lookup(host, { all: true }), late]);
    return found.map(({ address }) => address);
  } catch {
    return [];
  } finally {
    clearTimeout(timer);
  }
}

/** Reads the certificate of a server, trusted or not. Null: no TLS connection. */
function readCertificate(of: {
  host: string;
  port: number;
  ca?: string[];
}): Promise<Certificate | null> {
  const { promise, resolve: finish } = Promise.withResolvers<Certificate | null>();
  const socket = connect({
    ...of,
    // Only the fingerprint is read. The reader compares it.
    rejectUnauthorized: false,
    ...(isIP(of.host) === 0 && { servername: of.host }),
  });
  const timer = setTimeout(() => socket.destroy(), TIMEOUT_MS);
  socket.once("secureConnect", () => {
    const { fingerprint256, valid_to } = socket.getPeerCertificate();
    finish({
      sha256: fingerprint256.replaceAll(":", "").toLowerCase(),
      expiresAtMs: Date.parse(valid_to),
      isTrusted: socket.authorized,
    });
    socket.destroy();
  });
  socket.on("error", () => socket.destroy());
  socket.once("close", () => {
    clearTimeout(timer);
    finish(null);
  });
  return promise;
}
