import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

// Addresses from which a key can be used: single addresses and CIDR ranges, IPv4 and IPv6. An IPv4 address in IPv6 form
// (::ffff:10.0.0.1) counts as IPv4, in ranges and clients, so that no written form bypasses a range.

export type AddressRange = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

const MAPPED_BITS = 96;

/**
 * Normalizes an address or range, such as `10.0.0.0/8`, `203.0.113.9/32` or `2001:db8::/32`. Null for other text, and
 * for a range with bits after its prefix, whose meaning is ambiguous.
 */
export function normalizeRange(text: string): string | null {
  const range = parseRange(text);
  if (range === null) return null;
  const [address, bits] = range;
  return hasBitsBehind(address, bits) ? null : `${address.toString()}/${bits}`;
}

/** Parses ranges for comparison. `texts` are results of `normalizeRange`. Others match nothing. */
export function compileRanges(texts: readonly string[]): AddressRange[] {
  return texts.map(parseRange).filter((range) => range !== null);
}

/** True if the address is in one of the ranges. An unknown address is in none. */
export function isInRanges(ranges: readonly AddressRange[], address: string | null): boolean {
  if (address === null || isIP(address) === 0) return false;
  const parsed = ipaddr.process(address);
  return ranges.some(
    ([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits),
  );
}

/** Ranges of the addresses that are in both lists. No address is in an empty list. */
export function intersectRanges(a: readonly string[], b: readonly string[]): string[] {
  const both = [...new Set([...a, ...b])].filter(
    (range) => includesRanges(a, [range]) && includesRanges(b, [range]),
  );
  return both.filter((range) => !both.some((other) => other !== range && isWithin(range, other)));
}

/** True if each range of `inner` is within one range of the list. */
export function includesRanges(list: readonly string[], inner: readonly string[]): boolean {
  return inner.every((range) => list.some((other) => isWithin(range, other)));
}

function isWithin(inner: string, outer: string): boolean {
  const [innerRange, outerRange] = [parseRange(inner), parseRange(outer)];
  if (innerRange === null || outerRange === null) return false;
  const [address, bits] = innerRange;
  const [network, outerBits] = outerRange;
  return (
    address.kind() === network.kind() && outerBits <= bits && address.match(network, outerBits)
  );
}

const NETWORK_BITS = { ipv4: 24, ipv6: 48 } as const;

/** Network of an address, such as `203.0.113.0/24` or `2001:db8:1::/48`. Null for an invalid address. */
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
  // Stricter than the library, which accepts 010.1 as an address.
  const version = addressText.includes("%") ? 0 : isIP(addressText);
  if (version === 0 || more.length > 0) return null;
  const longest = version === 6 ? 128 : 32;
  if (bitsText !== undefined && !/^(0|[1-9]\d{0,2})$/.test(bitsText)) return null;
  const bits = bitsText === undefined ? longest : Number(bitsText);
  if (bits > longest) return null;
  const address = ipaddr.parse(addressText);
  if (!(address instanceof ipaddr.IPv6) || !address.isIPv4MappedAddress()) return [address, bits];
  // A range wider than the mapped addresses includes other addresses.
  return bits < MAPPED_BITS ? null : [address.toIPv4Address(), bits - MAPPED_BITS];
}

function hasBitsBehind(address: ipaddr.IPv4 | ipaddr.IPv6, bits: number): boolean {
  return address
    .toByteArray()
    .some((byte, index) => (byte & (0xff >> Math.min(8, Math.max(0, bits - 8 * index)))) !== 0);
}
