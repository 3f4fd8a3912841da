import { roleNames } from "@bursar/contract/permissions.ts";
import type { Answer } from "../../api-client.ts";
import { listNames } from "../../kit/consequences/sentences.ts";
import { formatPlural } from "../../ui/format.ts";
import type { Directory } from "./queries.ts";

// Effects of changes of a directory, as sentences.

export type DirectoryPreview = Answer<"previewDirectoryChange">;

type SignInSettings = Pick<
  Directory,
  "is_enabled" | "allowed_domains" | "default_role" | "second_factor"
>;

interface SignInChange {
  before: SignInSettings;
  after: SignInSettings;
  /** Undefined: unknown. */
  preview: DirectoryPreview | undefined;
}

/** Effects on who can sign in, and with which factors. */
export function describeSignInChange({ before, after, preview }: SignInChange): string[] {
  return [
    ...(preview ? describeRefused(preview) : []),
    ...describeAdmitted(before, after),
    ...describeFactor(before, after, preview),
  ];
}

function describeRefused(preview: DirectoryPreview): string[] {
  const { refused, refused_without_other_way: lost, sessions } = preview;
  if (refused === 0) return [];
  return [
    `${formatPlural(refused, "member")} can no longer sign in through the directory.`,
    lost === 0
      ? "They have a password, a passkey or another directory."
      : `${formatPlural(lost, "member has", "members have")} no other way to sign in.`,
    ...(sessions > 0
      ? [
          `${formatPlural(sessions, "session that it has started lasts", "sessions that it has started last")} until they end by themselves.`,
        ]
      : []),
  ];
}

/** People who can sign in after the change, and could not before. */
function describeAdmitted(before: SignInSettings, after: SignInSettings): string[] {
  if (!after.is_enabled) return [];
  const known = before.is_enabled ? before.allowed_domains : [];
  const added = after.allowed_domains.filter((domain) => !known.includes(domain));
  if (added.length === 0) return [];
  return [
    `Everyone at the provider with an address at ${listNames(added)} can sign in.`,
    `New people become members with the role ${roleNames[after.default_role]}.`,
  ];
}

function describeFactor(
  before: SignInSettings,
  after: SignInSettings,
  preview: DirectoryPreview | undefined,
): string[] {
  if (before.second_factor === after.second_factor) return [];
  const people = preview ? formatPlural(preview.linked, "member") : "Members";
  switch (after.second_factor) {
    case "trusted":
      return [
        `Each sign-in of ${people.toLowerCase()} counts as two factors, without a proof of the provider.`,
      ];
    case "claims":
      return [`${people} use a second factor here, if the provider’s token shows none.`];
    case "here":
      return [
        `${people} use an authenticator app or a passkey here, if the company requires a second factor.`,
      ];
  }
}

type Claims = Pick<
  Directory,
  "role_claim" | "role_mappings" | "group_claim" | "group_mappings" | "default_role"
>;

interface ClaimChange {
  before: Claims;
  after: Claims;
  /** Undefined: unknown. */
  preview: DirectoryPreview | undefined;
}

/** Effects on roles at the next sign-in, and on groups at once. */
export function describeClaimChange({ before, after, preview }: ClaimChange): string[] {
  return [
    ...(preview ? describeEndedMemberships(preview) : []),
    ...describeRoles(before, after, preview?.roles ?? []),
    ...describeNewGroups(before, after),
  ];
}

function describeEndedMemberships({ ended_memberships: groups }: DirectoryPreview): string[] {
  if (groups.length === 0) return [];
  const names = groups.map(({ name, members }) => `${name} (${members})`);
  const count = groups.reduce((sum, { members }) => sum + members, 0);
  return [
    `${formatPlural(count, "membership ends", "memberships end")} at once: ${listNames(names)}.`,
    "The members lose the roles, limits and models of these groups.",
  ];
}

type Role = DirectoryPreview["roles"][number]["role"];

function describeRoles(before: Claims, after: Claims, counts: DirectoryPreview["roles"]): string[] {
  const [old, next] = [listRoleMappings(before), listRoleMappings(after)];
  if (old.length > 0 && next.length === 0) {
    return ["No sign-in changes roles any more. Members keep their present role."];
  }
  const has = (list: typeof old, { value, role }: (typeof old)[number]) =>
    list.some((each) => each.value === value && each.role === role);
  const removed = old.filter((each) => !has(next, each));
  const added = next.filter((each) => !has(old, each));
  const starts = old.length === 0 && next.length > 0;
  return [
    ...(starts ? [describeStart(after, counts)] : []),
    ...removed.map(({ value, role }) => describeRemovedRole(value, role, counts)),
    ...added.map(
      ({ value, role }) =>
        `People with “${value}” get the role ${roleNames[role]} at their next sign-in.`,
    ),
  ];
}

function listRoleMappings({ role_claim, role_mappings }: Claims) {
  return role_claim === null ? [] : role_mappings;
}

/** Members without a mapped value get the default role. */
function describeStart({ default_role }: Claims, counts: DirectoryPreview["roles"]): string {
  const others = counts.filter(({ role }) => role !== default_role);
  const members = others.reduce((sum, each) => sum + each.members, 0);
  return `Each sign-in sets the role. ${formatPlural(members, "member has", "members have")} another role than ${roleNames[default_role]} and can lose it.`;
}

function describeRemovedRole(value: string, role: Role, counts: DirectoryPreview["roles"]): string {
  const members = counts.find((each) => each.role === role)?.members ?? 0;
  return `“${value}” no longer gives the role ${roleNames[role]} at the next sign-in. ${formatPlural(members, "member has", "members have")} this role.`;
}

function describeNewGroups(before: Claims, after: Claims): string[] {
  const known = before.group_claim === null ? [] : before.group_mappings;
  const next = after.group_claim === null ? [] : after.group_mappings;
  const added = next.filter(
    ({ value, group_id }) =>
      !known.some((each) => each.value === value && each.group_id === group_id),
  );
  if (added.length === 0) return [];
  const values = [...new Set(added.map(({ value }) => `“${value}”`))];
  return [`People with ${listNames(values)} join the groups at their next sign-in.`];
}

interface Deletion {
  /** Settings that end with the directory. Undefined: unknown. */
  preview: DirectoryPreview | undefined;
  /** Members and groups that it provides by SCIM. */
  provided: { members: number; groups: number };
  /** Valid SCIM tokens. */
  tokens: number;
}

/** Effects of a deletion. */
export function describeDirectoryDeletion({ preview, provided, tokens }: Deletion): string[] {
  const sentences = preview ? describeEnd(preview) : [];
  if (tokens > 0) {
    sentences.push(
      `${formatPlural(tokens, "SCIM token ends", "SCIM tokens end")}. The provider changes no member any more.`,
    );
  }
  if (provided.members > 0) {
    sentences.push(
      `${formatPlural(provided.members, "provided member stays", "provided members stay")} active or deactivated, as now.`,
    );
  }
  if (provided.groups > 0) {
    sentences.push(
      `${formatPlural(provided.groups, "provided group stays", "provided groups stay")} and can be filled by hand.`,
    );
  }
  return sentences;
}

function describeEnd(preview: DirectoryPreview): string[] {
  const { refused, refused_without_other_way: lost, sessions } = preview;
  return [
    `${formatPlural(refused, "member")} can no longer sign in through it.`,
    ...(lost > 0
      ? [
          `${formatPlural(lost, "member has", "members have")} no other way. They set a password through “Forgot your password?”.`,
        ]
      : []),
    `${formatPlural(sessions, "session that it started ends", "sessions that it started end")} now.`,
    ...describeEndedMemberships(preview),
  ];
}
