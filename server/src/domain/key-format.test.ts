import { createHash } from "node:crypto";
import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkSecret, crc32, hashSecret, makeSecret, type SecretKind } from "./key-format.ts";

const kind = fc.constantFrom<SecretKind>("api", "admin");
const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });

function secretOf(of: SecretKind, random: Uint8Array) {
  return makeSecret(of, () => random);
}

describe("a new secret", () => {
  test("is a fixed text for fixed random bytes", () => {
    expect(secretOf("api", new Uint8Array(32)).secret.slice(0, -6)).toBe(
      `sk-ant-api03-${"0".repeat(43)}`,
    );
    expect(secretOf("admin", new Uint8Array(32).fill(255)).secret).toMatch(
      /^sk-ant-admin01-[0-9A-Za-z]{49}$/,
    );
  });

  test("has a fixed length, passes its check, and is stored as SHA-256", () => {
    fc.assert(
      fc.property(kind, bytes, (of, random) => {
        const { secret, hash } = secretOf(of, random);
        expect(secret).toHaveLength((of === "api" ? 13 : 15) + 49);
        expect(checkSecret(secret)).toEqual({ kind: of });
        expect(hash).toEqual(createHash("sha256").update(secret).digest());
        expect(hashSecret(secret)).toEqual(hash);
      }),
    );
  });

  test("different random bytes never give the same secret", () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const isSame = Buffer.compare(a, b) === 0;
        expect(secretOf("api", a).secret === secretOf("api", b).secret).toBe(isSame);
      }),
    );
  });

  test("its hint contains three characters and the end", () => {
    const { secret, hint } = secretOf("api", new Uint8Array(32).fill(7));
    expect(hint).toBe(`${secret.slice(0, 16)}...${secret.slice(-4)}`);
    expect(hint).toMatch(/^sk-ant-api03-[0-9A-Za-z]{3}\.\.\.[0-9A-Za-z]{4}$/);
  });

  test("too few random bytes are a bug", () => {
    expect(() => makeSecret("api", () => new Uint8Array(31))).toThrow("assertion failed");
  });
});

describe("the check of a secret", () => {
  test("rejects any single changed character", () => {
    const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (const secretKind of ["api", "admin"] as const) {
      const { secret } = secretOf(
        secretKind,
        new Uint8Array(32).map((_, index) => index * 7),
      );
      for (let at = 0; at < secret.length; at++) {
        for (const character of `${base62}- _é`) {
          if (character === secret[at]) continue;
          const changed = secret.slice(0, at) + character + secret.slice(at + 1);
          expect(checkSecret(changed), changed).toBeNull();
        }
      }
    }
  });

  test("rejects a truncated, an extended and a swapped secret", () => {
    fc.assert(
      fc.property(kind, bytes, fc.integer({ min: 0, max: 60 }), (of, random, at) => {
        const { secret } = secretOf(of, random);
        expect(checkSecret(secret.slice(0, at))).toBeNull();
        expect(checkSecret(`${secret} `)).toBeNull();
        expect(checkSecret(secret + secret)).toBeNull();
        const other = of === "api" ? "sk-ant-admin01-" : "sk-ant-api03-";
        expect(checkSecret(other + secret.slice(-49))).toBeNull();
      }),
    );
  });

  test("returns a result for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        expect(checkSecret(text)).toBeNull();
        expect(checkSecret(`sk-ant-api03-${text}`)).toBeNull();
      }),
    );
    expect(checkSecret("sk-ant-api03-".repeat(1_000_000))).toBeNull();
  });
});

test("the checksum is the standard CRC-32", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(crc32(text)).toBe(zlibCrc32(text));
    }),
  );
});
