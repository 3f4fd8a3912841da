import type { Answer } from "../../api-client.ts";
import { formatPlural } from "../../ui/format.ts";

export type Preview = Answer<"previewSecuritySettings">;

/** Effects of a change of one or several settings on keys, sessions and members. */
export function describeSecurityChange(preview: Preview): string[] {
  return [
    ...describeKeys(preview.keys_beyond_max_lifetime),
    ...describeSessions(preview),
    ...describeAddresses(preview),
    ...describeMembers(preview),
    ...describeWider(preview),
  ];
}

function describeKeys({ api_keys, admin_keys }: Preview["keys_beyond_max_lifetime"]): string[] {
  if (api_keys + admin_keys === 0) return [];
  const keys = `${formatPlural(api_keys, "API key")} and ${formatPlural(admin_keys, "admin key")}`;
  return [
    `${keys} exceed this lifetime. They keep their expiry until they are rotated or changed.`,
  ];
}

function describeSessions({ open_sessions, ended_sessions, ends_own_session }: Preview): string[] {
  if (ended_sessions === 0) return [];
  return [
    `${formatPlural(ended_sessions, "session ends", "sessions end")} now, of ${formatPlural(open_sessions, "open one")}. Members can sign in again.`,
    ...(ends_own_session ? ["Your own session ends too."] : []),
  ];
}

function describeAddresses(preview: Preview): string[] {
  if (preview.excludes_own_address) {
    return ["Your own address is not among them, so this change is refused."];
  }
  const { sessions_outside_addresses: outside, open_sessions } = preview;
  if (outside === 0) return [];
  return [
    `${formatPlural(outside, "session", "sessions")} of ${formatPlural(open_sessions, "open one")} began at another address, and ${outside === 1 ? "stops" : "stop"} working there.`,
  ];
}

function describeMembers(preview: Preview): string[] {
  const { members_without_second_factor, members_without_directory } = preview;
  return [
    ...(members_without_second_factor === 0
      ? []
      : [
          `${formatPlural(members_without_second_factor, "member must", "members must")} set up a second factor first. Until then, they can do nothing else.`,
        ]),
    ...(members_without_directory === 0
      ? []
      : [
          `${formatPlural(members_without_directory, "member is", "members are")} linked to no directory, and cannot sign in until one admits them.`,
        ]),
  ];
}

function describeWider(preview: Preview): string[] {
  const members = (count: number) => formatPlural(count, "active member");
  const freed = preview.members_freed_from_second_factor;
  const sentences: readonly (readonly [count: number, sentence: string])[] = [
    [
      preview.extended_sessions,
      formatPlural(preview.extended_sessions, "open session lasts", "open sessions last") +
        " longer.",
    ],
    [
      freed,
      `${formatPlural(freed, "active member no longer needs", "active members no longer need")} a second factor.`,
    ],
    [
      preview.members_with_other_sign_in,
      `Passwords, password links and passkeys work again for ${members(preview.members_with_other_sign_in)}.`,
    ],
    [
      preview.members_freed_from_addresses,
      `Sessions of ${members(preview.members_freed_from_addresses)} work from every address.`,
    ],
  ];
  return sentences.flatMap(([count, sentence]) => (count === 0 ? [] : [sentence]));
}
