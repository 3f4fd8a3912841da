import { describe, expect, test } from "vitest";
import {
  classifyAddress,
  isAllowedAddress,
  isAllowedTarget,
  parseAllowedTargets,
} from "./target-address.ts";

describe("an address is", () => {
  test.each([
    ["unspecified", "0.0.0.0"],
    ["this network", "0.1.2.3"],
    ["private (10/8)", "10.0.0.1"],
    ["private (172.16/12)", "172.31.255.255"],
    ["private (192.168/16)", "192.168.1.1"],
    ["loopback", "127.0.0.1"],
    ["loopback, not the first", "127.255.0.9"],
    ["link-local", "169.254.1.1"],
    ["shared by a carrier's customers", "100.64.0.1"],
    ["for measuring networks", "198.18.0.1"],
    ["for documentation", "203.0.113.9"],
    ["multicast", "224.0.0.1"],
    ["reserved", "240.0.0.1"],
    ["broadcast", "255.255.255.255"],
    ["unspecified IPv6", "::"],
    ["loopback IPv6", "::1"],
    ["unique local IPv6", "fd12:3456::1"],
    ["link-local IPv6", "fe80::1"],
    ["link-local IPv6 with a zone", "fe80::1%eth0"],
    ["site-local IPv6", "fec0::1"],
    ["multicast IPv6", "ff02::1"],
    ["documentation IPv6", "2001:db8::1"],
    ["Teredo", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    ["discard-only", "100::1"],
    ["IPv4-mapped loopback", "::ffff:127.0.0.1"],
    ["IPv4-mapped private, in hex", "::ffff:a00:1"],
    ["IPv4-compatible loopback", "::127.0.0.1"],
    ["NAT64 of a private one", "64:ff9b::10.0.0.1"],
    ["NAT64 of a network's own", "64:ff9b:1::808:808"],
    ["6to4 of loopback", "2002:7f00:1::"],
    ["6to4 of a private one", "2002:c0a8:101::1"],
    ["no address", "example.com"],
    ["a number", "2130706433"],
    ["nothing", ""],
  ])("private: %s (%s)", (_, address) => {
    expect(classifyAddress(address)).toBe("private");
  });

  test.each([
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "fd00:ec2::254",
    "fd00:0ec2:0:0:0:0:0:254",
    "FD20:CE::254",
  ])("metadata service of a cloud: %s", (address) => {
    expect(classifyAddress(address)).toBe("metadata");
  });

  test.each([
    "8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
  ])("public: %s", (address) => {
    expect(classifyAddress(address)).toBe("public");
  });
});

describe("BURSAR_ALLOW_PRIVATE_TARGETS", () => {
  test.each([
    ["10.0.0.0/8", "10.200.0.1", true],
    ["10.0.0.0/8", "::ffff:10.200.0.1", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["10.0.0.7", "10.0.0.7", true],
    ["10.0.0.7", "10.0.0.8", false],
    ["fd00::/8", "fd12::1", true],
    ["fd00::/8", "10.0.0.1", false],
    ["::1", "::1", true],
    ["hooks.internal", "10.0.0.1", false],
  ])("%s allows %s: %s", (allowed, address, isAllowed) => {
    expect(isAllowedAddress(parseAllowedTargets([allowed]), address)).toBe(isAllowed);
  });

  test("accepts addresses, ranges and names", () => {
    for (const text of ["10.0.0.1", "10.0.0.0/8", "::1", "fd00::/8", "Hooks.internal", "hooks"]) {
      expect(isAllowedTarget(text), text).toBe(true);
    }
    for (const text of [
      "10.0.0.0/33",
      "10.0.0.0/",
      "10.0.0.0/8/8",
      "fe80::1%eth0",
      "127.1",
      "0x7f.1",
    ]) {
      expect(isAllowedTarget(text), text).toBe(false);
    }
    for (const text of ["", "*", "https://hooks.internal", "hooks.internal:8080", "a b"]) {
      expect(isAllowedTarget(text), text).toBe(false);
    }
  });
});
