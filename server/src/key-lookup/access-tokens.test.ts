import { createHmac, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import {
  ACCESS_TOKEN_MS,
  type AccessTokens,
  makeAccessTokens,
  REFRESH_TOKEN_MS,
  type TokenKey,
  type TokenSubject,
} from "./access-tokens.ts";

const ISSUER = "https://bursar.example.com";
const NOW = Date.UTC(2026, 10, 29, 12);
const oldKey: TokenKey = { id: "atkey_1", bytes: randomBytes(32), usedFromMs: NOW - 1_000 };
const newKey: TokenKey = { id: "atkey_2", bytes: randomBytes(32), usedFromMs: NOW + 60_000 };
const subject: TokenSubject = {
  organizationId: "6f1f7c0e-0d3c-4a51-9d3e-2a6f3a6f3a6f",
  memberId: "user_1",
  laptopId: "laptop_1",
  key: randomBytes(32).toString("base64url"),
  groupIds: ["group_1"],
  groupNames: ["Physik – Köln"],
  billingGroupTag: "cost_center",
};

function makeTokens(keys: readonly TokenKey[] = [oldKey, newKey], issuer = ISSUER): AccessTokens {
  const tokens = makeAccessTokens(() => issuer);
  tokens.setKeys(keys);
  return tokens;
}

/** Code of the refusal of `check`, or "accepted". */
function codeOf(tokens: AccessTokens, token: string, nowMs = NOW): string {
  try {
    tokens.check(token, nowMs);
    return "accepted";
  } catch (error) {
    return error instanceof ApiError ? error.code : String(error);
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

function sign(header: object, payload: object, key: Uint8Array, algorithm = "sha256"): string {
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${createHmac(algorithm, key).update(text).digest("base64url")}`;
}

const header = { alg: "HS256", kid: oldKey.id, typ: "at+jwt" };
const valid = makeTokens().issueAccess(subject, NOW);
const [, payloadText = ""] = valid.split(".");
const payload: object = JSON.parse(Buffer.from(payloadText, "base64url").toString());

describe("an access token", () => {
  test("has the claims of its laptop for one hour", () => {
    const tokens = makeTokens();
    expect(tokens.looksLike(valid)).toBe(true);
    const claims = { ...subject, issuedAtMs: NOW, expiresAtMs: NOW + ACCESS_TOKEN_MS };
    expect(tokens.check(valid, NOW)).toEqual(claims);
    expect(tokens.check(valid, NOW)).toEqual(claims);
    expect(codeOf(tokens, valid, NOW + ACCESS_TOKEN_MS - 1)).toBe("accepted");
    expect(codeOf(tokens, valid, NOW + ACCESS_TOKEN_MS)).toBe("access_token_expired");
    expect(codeOf(makeTokens(), valid, NOW + ACCESS_TOKEN_MS)).toBe("access_token_expired");
  });

  test("is signed with the newest key that all nodes know, and valid under an older one", () => {
    const tokens = makeTokens();
    const kidOf = (token: string) =>
      JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
    expect(kidOf(valid)).toBe(oldKey.id);
    const later = tokens.issueAccess(subject, newKey.usedFromMs);
    expect(kidOf(later)).toBe(newKey.id);
    expect(codeOf(tokens, later, newKey.usedFromMs)).toBe("accepted");
    expect(codeOf(tokens, valid, newKey.usedFromMs)).toBe("accepted");
    tokens.setKeys([newKey]);
    expect(codeOf(tokens, valid)).toBe("access_token_invalid");
    expect(() => makeTokens([]).issueAccess(subject, NOW)).toThrow("no key for tokens");
  });

  test("cannot be forged, altered, or taken from another installation", () => {
    const other = { ...oldKey, bytes: randomBytes(32) };
    const [head = "", body = "", mac = ""] = valid.split(".");
    const forged = {
      "alg none": `${encode({ ...header, alg: "none" })}.${body}.`,
      "alg none with a signature": sign({ ...header, alg: "none" }, payload, oldKey.bytes),
      "alg HS512": sign({ ...header, alg: "HS512" }, payload, oldKey.bytes, "sha512"),
      "another type": sign({ ...header, typ: "JWT" }, payload, oldKey.bytes),
      "a refresh token": makeTokens().issueRefresh(subject, 1, NOW),
      "no type": sign({ alg: "HS256", kid: oldKey.id }, payload, oldKey.bytes),
      "an unknown key": sign({ ...header, kid: "atkey_9" }, payload, oldKey.bytes),
      "the key of another installation": makeTokens([other]).issueAccess(subject, NOW),
      "another issuer": makeTokens([oldKey], "https://evil.example").issueAccess(subject, NOW),
      "another audience": sign(header, { ...payload, aud: "claude-gateway" }, oldKey.bytes),
      "altered claims": `${head}.${encode({ ...payload, sub: "user_2" })}.${mac}`,
      "a later end": `${head}.${encode({ ...payload, exp: 9_999_999_999 })}.${mac}`,
      "a cut signature": valid.slice(0, -1),
      "no signature": `${head}.${body}.`,
      "a padded signature": `${valid}=`,
      "a fourth part": `${valid}.x`,
      "another order of the header": sign(
        { typ: "at+jwt", alg: "HS256", kid: oldKey.id },
        payload,
        oldKey.bytes,
      ),
      "another character with the same byte": valid.replace(/A(?=[^.]*\.[^.]*$)/, "\u0141"),
      "no token": "eyJ",
      nothing: "",
      "too long": `${valid}${"A".repeat(20_000)}`,
    };
    const tokens = makeTokens();
    const codes = Object.entries(forged).map(([name, token]) => [name, codeOf(tokens, token)]);
    expect(codes).toEqual(Object.keys(forged).map((name) => [name, "access_token_invalid"]));
  });

  test("stays out of memory if it was refused", () => {
    const tokens = makeTokens();
    const altered = `${valid.slice(0, -1)}${valid.endsWith("A") ? "E" : "A"}`;
    expect(codeOf(tokens, altered)).toBe("access_token_invalid");
    expect(codeOf(tokens, valid)).toBe("accepted");
    expect(codeOf(tokens, altered)).toBe("access_token_invalid");
  });
});

test("a refresh token has its generation, and 90 days without a refresh end it", () => {
  const tokens = makeTokens();
  const token = tokens.issueRefresh(subject, 7, NOW);
  expect(tokens.checkRefresh(token, NOW + REFRESH_TOKEN_MS - 1)).toMatchObject({
    ...subject,
    generation: 7,
  });
  expect(() => tokens.checkRefresh(token, NOW + REFRESH_TOKEN_MS)).toThrow("expired");
  expect(() => tokens.checkRefresh(valid, NOW)).toThrow("not a valid token");
});

test("only texts with three parts look like a token", () => {
  const tokens = makeTokens();
  for (const text of ["sk-ant-api03-abc", "eyJ.a", "eyJ.a.b.c", ` ${valid}`, ""]) {
    expect([text, tokens.looksLike(text)]).toEqual([text, false]);
  }
  expect(tokens.isOwn(valid)).toBe(true);
  expect(tokens.isOwn(sign({ ...header, kid: "other" }, payload, oldKey.bytes))).toBe(false);
});
