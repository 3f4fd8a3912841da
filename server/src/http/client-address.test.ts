import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { StartError } from "#src/lib/start-error.ts";
import { makeClientAddress } from "./client-address.ts";

function from(remoteAddress: string, forwardedFor?: string): IncomingMessage {
  const headers = forwardedFor === undefined ? {} : { "x-forwarded-for": forwardedFor };
  // Only the two fields that are read, instead of a connection.
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
}

describe("makeClientAddress", () => {
  test("ignores the header of an untrusted client", () => {
    const address = makeClientAddress(["10.0.0.0/8"]);
    expect(address(from("203.0.113.7", "1.2.3.4"))).toBe("203.0.113.7");
  });

  test("returns the nearest address that is no trusted proxy", () => {
    const address = makeClientAddress(["10.0.0.0/8", "fd00::/8"]);
    expect(address(from("10.0.0.1", "6.6.6.6, 203.0.113.7, 10.9.9.9"))).toBe("203.0.113.7");
    expect(address(from("fd00::1", "2001:db8::7"))).toBe("2001:db8::7");
  });

  test("returns a mapped IPv4 address as IPv4", () => {
    expect(makeClientAddress([])(from("::ffff:203.0.113.7"))).toBe("203.0.113.7");
    expect(makeClientAddress(["10.0.0.1"])(from("::ffff:10.0.0.1", "198.51.100.2"))).toBe(
      "198.51.100.2",
    );
  });

  test("stops at text that is no address", () => {
    const address = makeClientAddress(["10.0.0.0/8"]);
    expect(address(from("10.0.0.1", "unknown"))).toBe("10.0.0.1");
    expect(address(from("10.0.0.1", "203.0.113.7, <script>"))).toBe("10.0.0.1");
    expect(address(from("10.0.0.1"))).toBe("10.0.0.1");
  });

  test("rejects an invalid range at the start", () => {
    expect(() => makeClientAddress(["10.0.0.0/33"])).toThrow(StartError);
    expect(() => makeClientAddress(["proxy.internal"])).toThrow(StartError);
  });
});
