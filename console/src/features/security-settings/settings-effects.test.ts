import { expect, test } from "vitest";
import { describeSecurityChange, type Preview } from "./settings-effects.ts";

const nothing: Preview = {
  type: "security_settings_preview",
  keys_beyond_max_lifetime: { api_keys: 0, admin_keys: 0 },
  open_sessions: 12,
  ended_sessions: 0,
  ends_own_session: false,
  sessions_outside_addresses: 0,
  excludes_own_address: false,
  members_without_second_factor: 0,
  members_without_directory: 0,
  extended_sessions: 0,
  members_freed_from_second_factor: 0,
  members_with_other_sign_in: 0,
  members_freed_from_addresses: 0,
};
const describe = (over: Partial<Preview>) => describeSecurityChange({ ...nothing, ...over });

test("a change without effects has no sentence", () => {
  expect(describe({})).toEqual([]);
});

test.each([
  [
    { keys_beyond_max_lifetime: { api_keys: 4, admin_keys: 1 } },
    "4 API keys and 1 admin key exceed this lifetime. They keep their expiry until they are rotated or changed.",
  ],
  [{ ended_sessions: 1 }, "1 session ends now, of 12 open ones. Members can sign in again."],
  [
    { sessions_outside_addresses: 3 },
    "3 sessions of 12 open ones began at another address, and stop working there.",
  ],
  [
    { sessions_outside_addresses: 3, excludes_own_address: true },
    "Your own address is not among them, so this change is refused.",
  ],
  [
    { members_without_second_factor: 7 },
    "7 members must set up a second factor first. Until then, they can do nothing else.",
  ],
  [
    { members_without_directory: 1 },
    "1 member is linked to no directory, and cannot sign in until one admits them.",
  ],
  [{ extended_sessions: 12 }, "12 open sessions last longer."],
  [{ members_freed_from_second_factor: 1 }, "1 active member no longer needs a second factor."],
  [
    { members_with_other_sign_in: 20 },
    "Passwords, password links and passkeys work again for 20 active members.",
  ],
  [{ members_freed_from_addresses: 20 }, "Sessions of 20 active members work from every address."],
] as const)("%j becomes a sentence", (over, sentence) => {
  expect(describe(over)).toEqual([sentence]);
});

test("the end of the own session is stated beside the number of all", () => {
  expect(describe({ ended_sessions: 2, ends_own_session: true })[1]).toBe(
    "Your own session ends too.",
  );
});
