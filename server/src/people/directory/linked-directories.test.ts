import { beforeEach, describe, expect, test } from "vitest";
import type { TestMember } from "#test/harness/admin.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import type { Browser } from "#test/harness/browser.ts";
import {
  browse,
  change,
  directoryId,
  h,
  newPerson,
  org,
  prepareDirectory,
  provider,
  signIn,
} from "#test/harness/directory-sign-in.ts";
import { insertGroup } from "#test/harness/groups.ts";
import { MEMBER_PASSWORD } from "#test/harness/members.ts";
import { ME, SIGN_IN } from "#test/harness/sign-in.ts";

prepareDirectory();

const LINKS = "/v1/admin/linked_directories";
const linksOf = (id: string) => `/v1/admin/members/${id}/linked_directories`;
const codeOf = (answer: { error: { details?: { error_code?: string } } }) =>
  answer.error.details?.error_code;
const idOf = async (browser: Browser) =>
  (await browser.get<{ member: { id: string } }>(ME)).body.member.id;

describe("a member with a password who linked the directory", () => {
  let ada: TestMember;
  let browser: Browser;
  let person: ReturnType<typeof newPerson>;
  beforeEach(async () => {
    person = newPerson();
    ada = await org.member({ role: "developer", email: person.email });
    browser = browse();
    await browser.post(SIGN_IN, { email: ada.email, password: MEMBER_PASSWORD });
    await signIn(person, browser);
    await browser.post(`${SIGN_IN}/directory_link`, {});
  });

  test("sees the link with its last use, and ends it with its sessions", async () => {
    h.clock.nowMs += 60_000;
    const company = await signIn(person);
    const now = new Date(h.clock.nowMs).toISOString();
    const listed = await browser.get<{ data: object[] }>(LINKS);
    expect(listed.body.data).toMatchObject([
      { directory_id: directoryId, name: "Okta", is_managing: false, last_used_at: now },
    ]);
    const readEvents = await watchEvents(h.deps.database, org.id);
    expect((await browser.remove(`${LINKS}/${directoryId}`)).status).toBe(200);
    expect((await company.browser.get(ME)).status).toBe(401);
    expect((await browser.get(ME)).status).toBe(200);
    expect(await readEvents()).toMatchObject([
      {
        event: "directory.unlinked",
        actor_id: ada.id,
        before: { directory_id: directoryId },
        after: { ended_sessions: 1 },
      },
    ]);
    expect((await browser.remove(`${LINKS}/${directoryId}`)).status).toBe(404);
    expect((await signIn(person)).answer.body).toEqual({ type: "link_required" });
  });

  test("needs a step-up", async () => {
    h.clock.nowMs += 11 * 60_000;
    expect(codeOf(await browser.remove(`${LINKS}/${directoryId}`))).toBe("step_up_required");
  });

  test("keeps the only link while the company sign-in is required", async () => {
    const owner = await signIn(newPerson());
    await org.operator.post(`/v1/admin/members/${await idOf(owner.browser)}`, { role: "owner" });
    const on = { company_sign_in_only: true };
    expect((await owner.browser.post("/v1/admin/security_settings", on)).status).toBe(200);
    const company = await signIn(person);
    const refused = await company.browser.remove(`${LINKS}/${directoryId}`);
    expect([refused.status, codeOf(refused)]).toEqual([409, "last_sign_in_way"]);
  });

  test("is unlinked by an administrator, who is not below the member", async () => {
    const admin = await org.member({ role: "admin" });
    await org.member({ role: "owner" });
    const listed = await admin.client.get<{ data: object[] }>(linksOf(ada.id));
    expect(listed.body.data).toHaveLength(1);
    await org.operator.post(`/v1/admin/members/${ada.id}`, { role: "owner" });
    const url = `${linksOf(ada.id)}/${directoryId}`;
    expect(codeOf(await admin.client.remove(url))).toBe("role_too_high");
    await org.operator.post(`/v1/admin/members/${ada.id}`, { role: "user" });
    expect((await admin.client.remove(url)).status).toBe(200);
    expect((await admin.client.get<{ data: object[] }>(linksOf(ada.id))).body.data).toEqual([]);
  });
});

test("a person without a password keeps the only way to sign in", async () => {
  const { browser } = await signIn(newPerson());
  expect(codeOf(await browser.remove(`${LINKS}/${directoryId}`))).toBe("last_sign_in_way");
});

test("a directory that decides about groups is unlinked by an administrator only", async () => {
  const group = await insertGroup(h.deps, org.id, { name: "Interns", allowedModels: ["claude-a"] });
  await change({ group_claim: "groups", group_mappings: [{ value: "interns", group_id: group }] });
  const person = { ...newPerson(), groups: ["interns"] };
  provider.userInfo = { sub: person.sub };
  const { browser } = await signIn(person);
  const id = await idOf(browser);
  expect(codeOf(await browser.remove(`${LINKS}/${directoryId}`))).toBe("managed_by_directory");
  expect((await org.operator.remove(`${linksOf(id)}/${directoryId}`)).status).toBe(200);
  const kept = await org.operator.get<{ data: object[] }>(`/v1/admin/groups/${group}/members`);
  expect(kept.body.data).toMatchObject([{ source: "direct" }]);
});

test("a link says whether the directory sets the role again at each sign-in", async () => {
  await change({ role_claim: "roles", role_mappings: [{ value: "leads", role: "admin" }] });
  const person = { ...newPerson(), roles: ["leads"] };
  provider.userInfo = { sub: person.sub };
  const { browser } = await signIn(person);
  const id = await idOf(browser);
  const read = async () => (await org.operator.get<{ data: object[] }>(linksOf(id))).body.data;
  expect(await read()).toMatchObject([{ sets_role: true, is_managing: true }]);
  await org.operator.post(`/v1/admin/members/${id}`, { role: "owner" });
  expect(await read()).toMatchObject([{ sets_role: false, is_managing: false }]);
});
