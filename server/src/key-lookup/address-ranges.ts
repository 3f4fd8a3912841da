import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

// Addresses a key may be used from: single ones and CIDR ranges, IPv4 and IPv6. An IPv4 address that is written as IPv6
// (::ffff:10.0.0.1) is the IPv4 address, on both sides, so that no spelling gets around a range.

export type AddressRange = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

const MAPPED_BITS = 96;

/**
 * One spelling of an address or range, such as `10.0.0.0/8`, `203.0.113.9/32` or `2001:db8::/32`; null where `text` is
 * neither, or has bits set behind its prefix, where nobody can say what was meant.
 */
export function normalizeRange(text: string): string | null {
  const range = parseRange(text);
  if (range === null) return null;
  const [address, bits] = range;
  return hasBitsBehind(address, bits) ? null : `${address.toString()}/${bits}`;
}

/** Ranges as they are compared. `texts` came out of `normalizeRange`; what did not matches nothing. */
export function compileRanges(texts: readonly string[]): AddressRange[] {
  return texts.map(parseRange).filter((range) => range !== null);
}

/** True where the address lies in one of the ranges. An address that is not known lies in none. */
export function isInRanges(ranges: readonly AddressRange[], address: string | null): boolean {
  if (address === null || isIP(address) === 0) return false;
  const parsed = ipaddr.process(address);
  return ranges.some(
    ([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits),
  );
}

const NETWORK_BITS = { ipv4: 24, ipv6: 48 } as const;

/** The network that an address is counted to, such as `203.0.113.0/24` or `2001:db8:1::/48`; null for no address. */
export function networkOf(address: string): string | null {
  const [withoutZone = ""] = address.split("%", 1);
  if (isIP(withoutZone) === 0) return null;
  const parsed = ipaddr.process(withoutZone);
  const bits = NETWORK_BITS[parsed.kind()];
  const range = `${parsed.toString()}/${bits}`;
  const network =
    parsed.kind() === "ipv4"
      ? ipaddr.IPv4.networkAddressFromCIDR(range)
      : ipaddr.IPv6.networkAddressFromCIDR(range);
  return `${network.toString()}/${bits}`;
}

function parseRange(text: string): AddressRange | null {
  const [addressText = "", bitsText, ...more] = text.split("/");
  // Stricter than the library, to which 010.1 is an address too.
  const version = addressText.includes("%") ? 0 : isIP(addressText);
  if (version === 0 || more.length > 0) return null;
  const longest = version === 6 ? 128 : 32;
  if (bitsText !== undefined && !/^(0|[1-9]\d{0,2})$/.test(bitsText)) return null;
  const bits = bitsText === undefined ? longest : Number(bitsText);
  if (bits > longest) return null;
  const address = ipaddr.parse(addressText);
  if (!(address instanceof ipaddr.IPv6) || !address.isIPv4MappedAddress()) return [address, bits];
  // A range that is wider than the mapped addresses is about something else.
  return bits < MAPPED_BITS ? null : [address.toIPv4Address(), bits - MAPPED_BITS];
}

function hasBitsBehind(address: ipaddr.IPv4 | ipaddr.IPv6, bits: number): boolean {
  return address
    .toByteArray()
    .some((byte, index) => (byte & (0xff >> Math.min(8, Math.max(0, bits - 8 * index)))) !== 0);
}
