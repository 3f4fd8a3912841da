import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { StartError } from "#src/lib/start-error.ts";
import { makeClientAddress } from "./client-address.ts";

function from(remoteAddress: string, forwardedFor?: string): IncomingMessage {
  const headers = forwardedFor === undefined ? {} : { "x-forwarded-for": forwardedFor };
  // The two fields that are read, in place of a connection.
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
}

describe("makeClientAddress", () => {
  test("a header of a stranger is not believed", () => {
    const address = makeClientAddress(["10.0.0.0/8"]);
    expect(address(from("203.0.113.7", "1.2.3.4"))).toBe("203.0.113.7");
  });

  test("behind trusted proxies it is the nearest address that is none of them", () => {
    const address = makeClientAddress(["10.0.0.0/8", "fd00::/8"]);
    expect(address(from("10.0.0.1", "6.6.6.6, 203.0.113.7, 10.9.9.9"))).toBe("203.0.113.7");
    expect(address(from("fd00::1", "2001:db8::7"))).toBe("2001:db8::7");
  });

  test("an IPv4 address on a dual-stack listener is itself", () => {
    expect(makeClientAddress([])(from("::ffff:203.0.113.7"))).toBe("203.0.113.7");
    expect(makeClientAddress(["10.0.0.1"])(from("::ffff:10.0.0.1", "198.51.100.2"))).toBe(
      "198.51.100.2",
    );
  });

  test("text that is no address ends the search at the last one that was", () => {
    const address = makeClientAddress(["10.0.0.0/8"]);
    expect(address(from("10.0.0.1", "unknown"))).toBe("10.0.0.1");
    expect(address(from("10.0.0.1", "203.0.113.7, <script>"))).toBe("10.0.0.1");
    expect(address(from("10.0.0.1"))).toBe("10.0.0.1");
  });

  test("a range that is none is refused at the start", () => {
    expect(() => makeClientAddress(["10.0.0.0/33"])).toThrow(StartError);
    expect(() => makeClientAddress(["proxy.internal"])).toThrow(StartError);
  });
});
