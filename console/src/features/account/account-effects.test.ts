import { expect, test } from "vitest";
import { describeEndedSessions, describeNewPassword } from "./account-effects.ts";

test("the end of all sessions names devices and laptops", () => {
  expect(
    describeEndedSessions({ devices: ["Chrome on Mac OS", null], laptops: ["Ada’s laptop"] }),
  ).toEqual([
    "2 other sessions end: Chrome on Mac OS, unknown device.",
    "Claude Code stops within a second on 1 laptop: Ada’s laptop.",
    "This session stays. Your keys keep working.",
  ]);
});

test("a member without other sessions or laptops loses nothing", () => {
  expect(describeEndedSessions({ devices: [], laptops: [] }).slice(0, 2)).toEqual([
    "You have no other session.",
    "You have no laptop.",
  ]);
});

test("a new password ends the other sessions, once they are known", () => {
  expect(describeNewPassword(["Firefox on Linux"])).toEqual([
    "1 other session ends: Firefox on Linux.",
  ]);
  expect(describeNewPassword(undefined)).toEqual([]);
});
