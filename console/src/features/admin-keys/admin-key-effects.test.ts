import { expect, test } from "vitest";
import { describeNewKey, describeRevokedKey } from "./admin-key-effects.ts";

const nowMs = Date.parse("2026-11-30T06:12:00Z");
const used = { at: "2026-11-30T06:02:00.000Z", address: "10.0.0.4" };

test("a revoked key has its last use and its lost scopes", () => {
  const key = {
    last_used: used,
    scopes: ["read" as const, "members" as const],
    status: "active",
  } as const;
  expect(describeRevokedKey({ ...key, scopes: [...key.scopes] }, nowMs)).toEqual([
    "The key was last used 10 minutes ago from 10.0.0.4.",
    "Programs with the key lose the scopes read, members within a second.",
    "This cannot be undone. To continue, create another key and store it in the program.",
  ]);
});

test("a key without scopes loses all rights, and an expired one has none to lose", () => {
  const unused = { last_used: null, scopes: null };
  expect(describeRevokedKey({ ...unused, status: "active" }, nowMs).slice(0, 2)).toEqual([
    "No use of the key is recorded.",
    "Programs with the key lose all rights of an Admin within a second.",
  ]);
  expect(describeRevokedKey({ ...unused, status: "expired" }, nowMs)).toHaveLength(2);
});

test("a new key with all rights says what programs can change, and from where", () => {
  const open = { scopes: [], addresses: [], isEndless: true };
  expect(describeNewKey(open)).toEqual([
    "Programs with the key can change everything except owners and the upstream.",
    "The key works from every address.",
    "The key does not expire. Revoke it to end it.",
  ]);
  expect(describeNewKey({ scopes: ["read"], addresses: [], isEndless: false })).toEqual([]);
});
