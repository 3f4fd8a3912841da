import { expect, test } from "vitest";
import {
  type DirectoryPreview,
  describeClaimChange,
  describeDirectoryDeletion,
  describeSignInChange,
} from "./directory-effects.ts";

const preview: DirectoryPreview = {
  type: "directory_preview",
  linked: 41,
  refused: 0,
  refused_without_other_way: 0,
  sessions: 0,
  roles: [
    { role: "admin", members: 4 },
    { role: "user", members: 36 },
  ],
  ended_memberships: [],
};
const settings = {
  is_enabled: true,
  allowed_domains: ["example.com", "labs.example"],
  default_role: "user" as const,
  second_factor: "claims" as const,
};

test("a removed domain names the members who can no longer sign in", () => {
  const after = { ...settings, allowed_domains: ["example.com"] };
  const lost = { ...preview, refused: 12, refused_without_other_way: 3, sessions: 5 };
  expect(describeSignInChange({ before: settings, after, preview: lost })).toEqual([
    "12 members can no longer sign in through the directory.",
    "3 members have no other way to sign in.",
    "5 sessions that it has started last until they end by themselves.",
  ]);
  const safe = { ...preview, refused: 1 };
  expect(describeSignInChange({ before: settings, after, preview: safe })).toEqual([
    "1 member can no longer sign in through the directory.",
    "They have a password, a passkey or another directory.",
  ]);
});

test("a new domain and an enabled directory say who can sign in", () => {
  const before = { ...settings, allowed_domains: ["example.com"] };
  expect(describeSignInChange({ before, after: settings, preview })).toEqual([
    "Everyone at the provider with an address at labs.example can sign in.",
    "New people become members with the role Member.",
  ]);
  const off = { ...settings, is_enabled: false };
  expect(describeSignInChange({ before: off, after: settings, preview })[0]).toBe(
    "Everyone at the provider with an address at example.com, labs.example can sign in.",
  );
  expect(describeSignInChange({ before: settings, after: settings, preview })).toEqual([]);
});

test("another rule for second factors says what counts", () => {
  const change = (second_factor: "claims" | "trusted" | "here") =>
    describeSignInChange({
      before: { ...settings, second_factor: second_factor === "claims" ? "here" : "claims" },
      after: { ...settings, second_factor },
      preview,
    });
  expect(change("trusted")).toEqual([
    "Each sign-in of 41 members counts as two factors, without a proof of the provider.",
  ]);
  expect(change("claims")).toEqual([
    "41 members use a second factor here, if the provider’s token shows none.",
  ]);
  expect(change("here")).toEqual([
    "41 members use an authenticator app or a passkey here, if the company requires a second factor.",
  ]);
});

const claims = {
  role_claim: "roles",
  role_mappings: [{ value: "leads", role: "admin" as const }],
  group_claim: "groups",
  group_mappings: [{ value: "/research", group_id: "grp_research" }],
  default_role: "user" as const,
};

test("a changed role mapping says who has the role and who gets one", () => {
  const after = { ...claims, role_mappings: [{ value: "heads", role: "admin" as const }] };
  expect(describeClaimChange({ before: claims, after, preview })).toEqual([
    "“leads” no longer gives the role Admin at the next sign-in. 4 members have this role.",
    "People with “heads” get the role Admin at their next sign-in.",
  ]);
  const none = { ...claims, role_mappings: [] };
  expect(describeClaimChange({ before: claims, after: none, preview })).toEqual([
    "No sign-in changes roles any more. Members keep their present role.",
  ]);
  expect(describeClaimChange({ before: none, after: claims, preview })).toEqual([
    "Each sign-in sets the role. 4 members have another role than Member and can lose it.",
    "People with “leads” get the role Admin at their next sign-in.",
  ]);
});

test("a removed group mapping ends memberships at once, and a new one starts later", () => {
  const ended = [{ group_id: "grp_research", name: "Research", members: 7 }];
  const after = {
    ...claims,
    group_mappings: [{ value: "/sales", group_id: "grp_sales" }],
  };
  const change = { before: claims, after, preview: { ...preview, ended_memberships: ended } };
  expect(describeClaimChange(change)).toEqual([
    "7 memberships end at once: Research (7).",
    "The members lose the roles, limits and models of these groups.",
    "People with “/sales” join the groups at their next sign-in.",
  ]);
});

test("a deletion counts sessions, tokens and provided people", () => {
  const lost = { ...preview, refused: 41, refused_without_other_way: 2, sessions: 9 };
  const provided = { members: 30, groups: 1 };
  expect(describeDirectoryDeletion({ preview: lost, provided, tokens: 2 })).toEqual([
    "41 members can no longer sign in through it.",
    "2 members have no other way. They set a password through “Forgot your password?”.",
    "9 sessions that it started end now.",
    "2 SCIM tokens end. The provider changes no member any more.",
    "30 provided members stay active or deactivated, as now.",
    "1 provided group stays and can be filled by hand.",
  ]);
});
