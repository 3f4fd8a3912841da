import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

// Addresses that a request with a user-defined target may use: the public internet, and exceptions of the operator. An
// address that contains another one (IPv4-mapped, NAT64, 6to4) is classified by that one.

/** `metadata`: a cloud's metadata service, which returns credentials. No setting allows it. */
export type AddressKind = "public" | "private" | "metadata";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [Address, number];

const METADATA = new Set([
  "169.254.169.254",
  "169.254.170.2",
  "169.254.170.23",
  "100.100.100.200",
  "168.63.129.16",
  "192.0.0.192",
  "fd00:ec2::254",
  "fd00:ec2::23",
  "fd20:ce::254",
]);
/** All addresses assigned for use on the internet. */
const GLOBAL_IPV6: Range = [ipaddr.parse("2000::"), 3];
const NAT64: Range = [ipaddr.parse("64:ff9b::"), 96];
const SIX_TO_FOUR: Range = [ipaddr.parse("2002::"), 16];

/** Classifies an address. Text that is no address is private. */
export function classifyAddress(text: string): AddressKind {
  const address = parseAddress(text);
  if (address === null) return "private";
  if (METADATA.has(address.toString())) return "metadata";
  if (address.range() !== "unicast") return "private";
  return address.kind() === "ipv4" || isWithin(address, GLOBAL_IPV6) ? "public" : "private";
}

export interface AllowedTargets {
  /** Names in lower case, whatever they resolve to. */
  hosts: ReadonlySet<string>;
  ranges: readonly Range[];
}

const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?)*$/;
/** Host name that a resolver or a browser would read as a numeric address. */
const NUMERIC_HOST = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

/** True if `parseAllowedTargets` accepts the text: an address, a CIDR range or a host name. */
export function isAllowedTarget(text: string): boolean {
  return parseRange(text) !== null || isHostName(text.toLowerCase());
}

/** Parses addresses, CIDR ranges and host names that may be private. Other texts are ignored. */
export function parseAllowedTargets(texts: readonly string[]): AllowedTargets {
  return {
    ranges: texts.map(parseRange).filter((range) => range !== null),
    hosts: new Set(texts.map((text) => text.toLowerCase()).filter(isHostName)),
  };
}

export function isAllowedAddress({ ranges }: AllowedTargets, text: string): boolean {
  const address = parseAddress(text);
  return address !== null && ranges.some((range) => isWithin(address, range));
}

function isHostName(text: string): boolean {
  return HOST_NAME.test(text) && !NUMERIC_HOST.test(text);
}

function parseAddress(text: string): Address | null {
  const [plain = ""] = text.split("%");
  if (isIP(plain) === 0) return null;
  const address = ipaddr.process(plain);
  if (address.kind() === "ipv4") return address;
  const bytes = address.toByteArray();
  if (isWithin(address, NAT64)) return new ipaddr.IPv4(bytes.slice(12));
  if (isWithin(address, SIX_TO_FOUR)) return new ipaddr.IPv4(bytes.slice(2, 6));
  return address;
}

function parseRange(text: string): Range | null {
  const [addressText = "", bitsText, ...more] = text.split("/");
  const version = addressText.includes("%") ? 0 : isIP(addressText);
  if (version === 0 || more.length > 0) return null;
  const address = ipaddr.parse(addressText);
  const longest = version === 6 ? 128 : 32;
  if (bitsText === undefined) return [address, longest];
  const bits = /^\d{1,3}$/.test(bitsText) ? Number(bitsText) : Number.NaN;
  return bits <= longest ? [address, bits] : null;
}

function isWithin(address: Address, [network, bits]: Range): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}
