import { expect, test } from "vitest";
import {
  describeDisabledFactor,
  describeNewCodes,
  describeRemovedPasskey,
} from "./factor-effects.ts";

const nowMs = Date.parse("2026-11-30T06:12:00Z");
const passkey = { last_used_at: "2026-11-29T06:12:00.000Z" };
const last = { passkey, others: 0, hasPassword: true, hasApp: true, nowMs };

test("the last passkey says how the member signs in then", () => {
  expect(describeRemovedPasskey(last)).toEqual([
    "You last signed in with it 1 day ago.",
    "This is your last passkey. You then sign in with the password and the authenticator app.",
  ]);
  expect(describeRemovedPasskey({ ...last, hasApp: false })[1]).toBe(
    "This is your last passkey. You then sign in with the password alone.",
  );
  expect(describeRemovedPasskey({ ...last, hasPassword: false })[1]).toBe(
    "This is your last passkey, and you have no usable password.",
  );
});

test("another passkey still signs in", () => {
  const unused = { ...last, passkey: { last_used_at: null }, others: 1 };
  expect(describeRemovedPasskey(unused)).toEqual([
    "The passkey was never used to sign in.",
    "1 other passkey still signs you in.",
  ]);
});

test("a disabled second factor ends the backup codes, and the passkeys stay", () => {
  expect(describeDisabledFactor({ backup_codes_left: 8, passkeys: 2 })).toEqual([
    "The password alone then signs you in.",
    "8 stored backup codes stop working.",
    "2 passkeys still sign you in.",
  ]);
  expect(describeNewCodes({ backup_codes_left: 0, passkeys: 0 })).toEqual([]);
});
