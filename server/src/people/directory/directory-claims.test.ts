import type { previewDirectoryChange } from "@bursar/contract/admin/directories.ts";
import { beforeEach, describe, expect, test } from "vitest";
import type { z } from "zod";
import { watchEvents } from "#test/harness/audit-events.ts";
import { totpCode } from "#test/harness/authenticator.ts";
import type { Browser } from "#test/harness/browser.ts";
import {
  begin,
  browse,
  change,
  complete,
  createDirectory,
  DIRECTORIES,
  directoryId,
  h,
  newPerson,
  org,
  prepareDirectory,
  provider,
  signIn as signInWith,
} from "#test/harness/directory-sign-in.ts";
import { insertGroup } from "#test/harness/groups.ts";
import { MEMBER_PASSWORD } from "#test/harness/members.ts";
import { startTestProvider } from "#test/harness/oidc-provider.ts";
import { ME, SIGN_IN } from "#test/harness/sign-in.ts";

type Preview = z.output<(typeof previewDirectoryChange)["response"]>;

prepareDirectory();

/** Signs in. The user info endpoint answers too, because the server asks it for absent claims. */
function signIn(person: Record<string, unknown>, browser?: Browser) {
  provider.userInfo = { sub: person["sub"] };
  return signInWith(person, browser);
}

const codeOf = (answer: { error: { details?: { error_code?: string } } }) =>
  answer.error.details?.error_code;
const me = async (browser: Browser) =>
  (await browser.get<{ member: { id: string; role: string } }>(ME)).body.member;
const roleOf = async (person: object) => (await me((await signIn({ ...person })).browser)).role;
const groupsOf = async (memberId: string) =>
  (
    await h.deps.database
      .selectFrom("group_member")
      .select(["group_id", "source"])
      .where("member_id", "=", memberId)
      .orderBy("group_id")
      .execute()
  ).map(({ group_id, source }) => `${group_id} ${source}`);

async function previewChange(fields: object): Promise<Preview> {
  const previewed = await org.operator.post<Preview>(
    `${DIRECTORIES}/${directoryId}/preview`,
    fields,
  );
  expect(previewed.status).toBe(200);
  return previewed.body;
}

test("a preview counts members whose domain is removed, and those without another way to sign in", async () => {
  await change({ allowed_domains: ["acme.example", "labs.example"] });
  await signIn(newPerson());
  await signIn(newPerson({ email: "ada@labs.example" }));
  const grace = await org.member({ role: "user", email: "grace@labs.example" });
  const browser = browse();
  await browser.post(SIGN_IN, { email: grace.email, password: MEMBER_PASSWORD });
  await signIn(newPerson({ email: grace.email }), browser);
  await browser.post(`${SIGN_IN}/directory_link`, {});
  const removed = await previewChange({ allowed_domains: ["acme.example"] });
  expect(removed).toMatchObject({ linked: 3, refused: 2, refused_without_other_way: 1 });
  const disabled = await previewChange({ is_enabled: false });
  expect(disabled).toMatchObject({ refused: 3, refused_without_other_way: 2 });
  expect(await previewChange({})).toMatchObject({ refused: 0, refused_without_other_way: 0 });
});

describe("roles from claims", () => {
  beforeEach(() =>
    change({
      role_claim: "roles",
      role_mappings: [
        { value: "leads", role: "admin" },
        { value: "staff", role: "developer" },
      ],
    }),
  );

  test("follow the claim at each sign-in, with the directory as the actor", async () => {
    const readEvents = await watchEvents(h.deps.database, org.id);
    const person = newPerson();
    expect(await roleOf({ ...person, roles: ["staff", "leads"] })).toBe("admin");
    expect(await roleOf({ ...person, roles: "staff" })).toBe("developer");
    expect(await roleOf({ ...person, roles: ["unknown"] })).toBe("user");
    expect(await roleOf(person)).toBe("user");
    const changes = (await readEvents()).filter(({ event }) => event === "member.updated");
    expect(changes).toMatchObject([
      { actor_type: "directory", actor_id: directoryId, after: { role: "admin" } },
      { before: { role: "admin" }, after: { role: "developer" } },
      { after: { role: "user" } },
    ]);
  });

  test("replace a role that was set by hand, and never that of an owner", async () => {
    const person = newPerson();
    const { id } = await me((await signIn({ ...person, roles: ["staff"] })).browser);
    await org.operator.post(`/v1/admin/members/${id}`, { role: "billing" });
    expect(await roleOf({ ...person, roles: ["staff"] })).toBe("developer");
    await org.operator.post(`/v1/admin/members/${id}`, { role: "owner" });
    expect(await roleOf({ ...person, roles: ["staff"] })).toBe("owner");
    expect(await roleOf(person)).toBe("owner");
  });

  test("cannot be those of an owner", async () => {
    const refused = await org.operator.post(`${DIRECTORIES}/${directoryId}`, {
      role_mappings: [{ value: "leads", role: "owner" }],
    });
    expect(refused.status).toBe(400);
  });

  test("apply after a link and after the own second factor, and not before", async () => {
    const person = { ...newPerson(), roles: ["leads"] };
    const ada = await org.member({ role: "user", email: person.email });
    const browser = browse();
    await browser.post(SIGN_IN, { email: ada.email, password: MEMBER_PASSWORD });
    expect((await signIn(person, browser)).answer.body).toEqual({ type: "link_required" });
    expect((await me(browser)).role).toBe("user");
    await browser.post(`${SIGN_IN}/directory_link`, {});
    expect((await me(browser)).role).toBe("admin");

    await change({ second_factor: "here" });
    const totp = "/v1/admin/two_factor/totp";
    const { secret } = (await browser.post<{ secret: string }>(totp)).body;
    await browser.post(`${totp}/confirm`, { code: totpCode(secret) });
    const later = await signIn({ ...person, roles: ["staff"] });
    expect(later.answer.body).toEqual({ type: "two_factor_required" });
    expect((await me(browser)).role).toBe("admin");
    h.clock.nowMs += 60_000;
    const [code] = (
      await browser.post<{ backup_codes: string[] }>("/v1/admin/two_factor/backup_codes")
    ).body.backup_codes;
    const done = await later.browser.post(`${SIGN_IN}/two_factor`, { method: "backup_code", code });
    expect(done.status).toBe(200);
    expect((await me(later.browser)).role).toBe("developer");
  });

  test("need a claim, and each value once", async () => {
    const post = (fields: object) => org.operator.post(`${DIRECTORIES}/${directoryId}`, fields);
    expect((await post({ role_claim: null })).error.details?.fields).toMatchObject([
      { path: "role_claim" },
    ]);
    const twice = ["user", "billing"].map((role) => ({ value: "staff", role }));
    expect((await post({ role_mappings: twice })).error.details?.fields).toMatchObject([
      { path: "role_mappings" },
    ]);
  });
});

describe("groups from claims", () => {
  let research: string;
  let sales: string;
  beforeEach(async () => {
    research = await insertGroup(h.deps, org.id, { name: "Research" });
    sales = await insertGroup(h.deps, org.id, { name: "Sales" });
    await change({
      group_claim: "groups",
      group_mappings: [
        { value: "/research", group_id: research },
        { value: "/sales", group_id: sales },
      ],
    });
  });

  test("follow the claim, and leave memberships of other sources", async () => {
    const person = newPerson();
    const { id } = await me((await signIn({ ...person, groups: ["/research"] })).browser);
    expect(await groupsOf(id)).toEqual([`${research} claims`]);
    await org.operator.post(`/v1/admin/groups/${sales}/members`, { member_id: id });
    const readEvents = await watchEvents(h.deps.database, org.id);
    await signIn({ ...person, groups: ["/sales"] });
    expect(await groupsOf(id)).toEqual([`${sales} direct`]);
    expect(await readEvents()).toContainEqual(
      expect.objectContaining({
        event: "group_member.removed",
        actor_type: "directory",
        before: expect.objectContaining({ group_id: research, source: "claims" }),
      }),
    );
    await signIn(person);
    expect(await groupsOf(id)).toEqual([`${sales} direct`]);
    expect(await scopesOf(id)).toContain("member");
  });

  test("give the role of the group in its workspaces from the sign-in on", async () => {
    const workspace = await org.operator.createWorkspace();
    const url = `/v1/admin/groups/${research}/workspaces/${workspace.id}`;
    const set = await org.operator.post(url, { workspace_role: "workspace_developer" });
    expect(set.status).toBe(200);
    const person = newPerson();
    const { browser } = await signIn({ ...person, groups: ["/research"] });
    const read = async () =>
      (await browser.get<{ workspaces: { id: string; roles: string[] }[] }>(ME)).body.workspaces;
    expect(await read()).toMatchObject([{ id: workspace.id, roles: ["workspace_developer"] }]);
    await signIn({ ...person, groups: [] });
    expect(await read()).toEqual([]);
  });

  test("of one directory leave what another one states", async () => {
    const other = await startTestProvider(() => h.clock.nowMs);
    const otherId = await createDirectory(other, {
      group_claim: "groups",
      group_mappings: [{ value: "/research", group_id: research }],
    });
    const person = newPerson();
    const { browser } = await signIn({ ...person, groups: ["/research"] });
    const { id } = await me(browser);
    const response = other.authorize(await begin(browser, otherId), {
      ...person,
      groups: ["/research"],
    });
    await complete(browser, response, otherId);
    await browser.post(`${SIGN_IN}/directory_link`, {});
    await signIn(person);
    expect(await groupsOf(id)).toEqual([`${research} claims`]);
    await org.operator.remove(`${DIRECTORIES}/${otherId}`);
    expect(await groupsOf(id)).toEqual([]);
    await other.close();
  });

  test("end when they are no longer mapped, and with the directory", async () => {
    const person = { ...newPerson(), groups: ["/research", "/sales"] };
    const { id } = await me((await signIn(person)).browser);
    await change({ group_mappings: [{ value: "/sales", group_id: sales }] });
    expect(await groupsOf(id)).toEqual([`${sales} claims`]);
    expect((await org.operator.remove(`/v1/admin/groups/${sales}`)).status).toBe(200);
    const read = await org.operator.get<{ group_mappings: object[] }>(
      `${DIRECTORIES}/${directoryId}`,
    );
    expect(read.body.group_mappings).toEqual([]);
  });

  test("are counted by a preview before they end, as the change then ends them", async () => {
    const person = { ...newPerson(), groups: ["/research", "/sales"] };
    const { id } = await me((await signIn(person)).browser);
    await me((await signIn({ ...newPerson(), groups: ["/research"] })).browser);
    await org.operator.post(`/v1/admin/groups/${sales}/members`, { member_id: id });
    const preview = await previewChange({ group_claim: null });
    expect(preview).toMatchObject({
      linked: 2,
      refused: 0,
      sessions: 2,
      roles: [{ role: "user", members: 2 }],
      // A membership by hand stays.
      ended_memberships: [{ group_id: research, name: "Research", members: 2 }],
    });
    await change({ group_claim: null, group_mappings: [] });
    expect(await groupsOf(id)).toEqual([`${sales} direct`]);
    expect((await previewChange({})).ended_memberships).toEqual([]);
  });

  test("are groups of the organization that no directory fills by SCIM", async () => {
    const provided = await insertGroup(h.deps, org.id, { source: "scim" });
    const foreign = await insertGroup(h.deps, (await h.organization()).id, {});
    for (const group_id of [provided, foreign, "group_01unknown"]) {
      const refused = await org.operator.post(`${DIRECTORIES}/${directoryId}`, {
        group_mappings: [{ value: "/research", group_id }],
      });
      expect([refused.status, refused.error.details?.fields]).toMatchObject([
        400,
        [{ path: "group_mappings" }],
      ]);
    }
  });

  test("that the provider leaves out as too many refuse the sign-in", async () => {
    const { answer } = await signIn({ ...newPerson(), _claim_names: { groups: "src1" } });
    expect(codeOf(answer)).toBe("directory_sign_in_failed");
  });

  test("are read from the user info endpoint, and its scope is asked for", async () => {
    provider.metadata = { scopes_supported: ["openid", "groups"] };
    const person = newPerson();
    provider.userInfo = { sub: person.sub, groups: ["/sales"] };
    const browser = browse();
    const url = await begin(browser);
    expect(new URL(url).searchParams.get("scope")).toBe("openid email profile groups");
    expect((await complete(browser, provider.authorize(url, person))).status).toBe(200);
    expect(await groupsOf((await me(browser)).id)).toEqual([`${sales} claims`]);
  });
});

/** Kinds of keys that nodes have dropped for the member. */
async function scopesOf(memberId: string): Promise<string[]> {
  const rows = await h.deps.database
    .selectFrom("change_scope")
    .select("kind")
    .where("id", "=", memberId)
    .execute();
  return rows.map(({ kind }) => kind);
}
