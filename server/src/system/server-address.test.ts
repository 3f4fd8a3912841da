import { X509Certificate } from "node:crypto";
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";
import { describe, expect, test } from "vitest";
import { isPrivateAddress } from "#src/lib/check-server-address.ts";
import { LOCAL_CERTIFICATE, LOCAL_CERTIFICATE_KEY } from "#test/harness/test-certificate.ts";
import { makeServerAddress } from "./server-address.ts";

const read = (url: string) =>
  makeServerAddress({ publicUrl: () => url, hasKnownAddress: true, nowMs: () => 0 })();

test("returns the fingerprint of the certificate that clients get", async () => {
  const server = createServer({ cert: LOCAL_CERTIFICATE, key: LOCAL_CERTIFICATE_KEY });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { fingerprint256, validToDate } = new X509Certificate(LOCAL_CERTIFICATE);
  try {
    expect(await read(url)).toEqual({
      type: "server_address",
      url,
      state: "ready",
      addresses: ["127.0.0.1"],
      certificate: {
        sha256: fingerprint256.replaceAll(":", "").toLowerCase(),
        expires_at: validToDate.toISOString(),
      },
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  expect(await read(url)).toMatchObject({ state: "unreachable", certificate: null });
});

test.each([
  ["http://127.0.0.1:8484", "ready"],
  ["http://[::1]:8484", "ready"],
  ["http://10.1.2.3", "unencrypted"],
  ["https://198.51.100.7", "public"],
  ["https://8.8.8.8", "public"],
  ["https://bursar.invalid", "unresolved"],
])("the address %s is %s", async (url, state) => {
  expect(await read(url)).toMatchObject({ url, state, certificate: null });
});

test("a server for other machines without a public URL has an unknown address", async () => {
  const address = makeServerAddress({
    publicUrl: () => "http://localhost:8484",
    hasKnownAddress: false,
    nowMs: () => 0,
  });
  expect(await address()).toMatchObject({ url: null, state: "unknown" });
});

describe("private addresses are those that Claude Code accepts", () => {
  const accepted = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.1.1"];
  test.each([...accepted, "fd12::1", "fe80::1", "::1", "::ffff:10.0.0.1"])("%s", (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  test.each(["8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:4860::1", "::ffff:8.8.8.8", "x"])(
    "not %s",
    (address) => {
      expect(isPrivateAddress(address)).toBe(false);
    },
  );
});
