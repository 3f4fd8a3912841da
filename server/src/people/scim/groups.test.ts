import type { group, groupMember } from "@bursar/contract/admin/groups.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { insertUsers, type ScimBody, type ScimClient, startScim } from "#test/harness/scim.ts";
import { MAX_NAMED_MEMBERS } from "./group-changes.rule.ts";

type Group = z.output<typeof group>;
type GroupMember = z.output<typeof groupMember>;

const admin = "/v1/admin/groups";
const test = base.extend("scim", ({ h, org }) => startScim(h, org));

let count = 0;
async function provideUser(scim: ScimClient): Promise<string> {
  count += 1;
  const made = await scim.send("POST", "/Users", { userName: `member-${count}@example.com` });
  return made.body.id;
}
async function provideGroup(scim: ScimClient, fields: object = {}): Promise<ScimBody> {
  count += 1;
  const made = await scim.send("POST", "/Groups", { displayName: `Group ${count}`, ...fields });
  expect(made.status).toBe(201);
  return made.body;
}
const patch = (scim: ScimClient, id: string, ...Operations: object[]) =>
  scim.send("PATCH", `/Groups/${id}`, {
    schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    Operations,
  });
const membersOf = async (scim: ScimClient, id: string) =>
  ((await scim.send("GET", `/Groups/${id}`)).body.members ?? []).map(({ value }) => value).sort();
const toValues = (ids: readonly string[]) => ids.map((value) => ({ value }));
const codeOf = ({ error }: { error: { details?: { error_code?: string } } }) =>
  error.details?.error_code;

describe("a group of a directory", () => {
  test("is created with members, found, replaced and deleted", async ({ h, org, scim }) => {
    const [ada, eve] = [await provideUser(scim), await provideUser(scim)];
    const made = await scim.send("POST", "/Groups", {
      ...{ displayName: "Engineering", externalId: "g-1", members: toValues([ada]) },
    });
    const { id } = made.body;
    expect(made.headers["location"]).toBe(made.body.meta.location);
    expect(made.body.members).toMatchObject([{ value: ada, type: "User" }]);
    const find = async (filter: string) =>
      (await scim.send("GET", `/Groups?filter=${encodeURIComponent(filter)}`)).body.Resources.map(
        (each) => each.id,
      );
    await provideGroup(scim);
    for (const filter of [
      'displayName eq "ENGINEERING"',
      'urn:ietf:params:scim:schemas:core:2.0:Group:displayName eq "Engineering"',
      'externalId eq "g-1"',
      `members[value eq "${ada}"]`,
      `id eq "${id}" and members eq "${ada}"`,
      'displayName sw "engi"',
    ]) {
      expect(await find(filter), filter).toEqual([id]);
    }
    expect(await find(`members.value eq "${eve}"`)).toEqual([]);
    const put = { displayName: "Research", externalId: "g-1", members: toValues([eve]) };
    const replaced = await scim.send("PUT", `/Groups/${id}`, put);
    expect(replaced.body).toMatchObject({ displayName: "Research", members: [{ value: eve }] });
    const shown = await org.admin.get<Group>(`${admin}/${id}`);
    expect(shown.body).toMatchObject({
      ...{ name: "Research", source: "scim", is_managed: true, member_count: 1 },
      directory_id: scim.directoryId,
    });
    expect((await scim.send("DELETE", `/Groups/${id}`)).status).toBe(204);
    expect((await scim.send("GET", `/Groups/${id}`)).status).toBe(404);
    const events = await auditEventsOf(h.deps.database, id);
    expect(events.map(({ event, actor_type }) => `${event} ${actor_type}`)).toEqual([
      ...["group.created directory", "group.updated directory", "group.deleted directory"],
    ]);
    const ofAda = (await auditEventsOf(h.deps.database, ada)).map(({ event }) => event);
    expect(ofAda).toEqual(["member.created", "group_member.added", "group_member.removed"]);
  });

  test("changes by the PATCH forms of Okta and Entra", async ({ scim }) => {
    const [a, b, c] = [await provideUser(scim), await provideUser(scim), await provideUser(scim)];
    const { id } = await provideGroup(scim);
    const added = await patch(scim, id, { op: "add", path: "members", value: toValues([a, b]) });
    expect(added.status).toBe(204);
    await patch(scim, id, { op: "remove", path: `members[value eq "${a}"]` });
    expect(await membersOf(scim, id)).toEqual([b]);
    await patch(
      scim,
      id,
      { op: "Add", path: "members", value: [{ $ref: null, value: a }] },
      { op: "Remove", path: "members", value: [{ $ref: null, value: b }] },
      { op: "Replace", path: "displayName", value: "Renamed" },
      { op: "replace", value: { id, displayName: "Renamed again", externalId: "g-9" } },
    );
    const { body } = await scim.send("GET", `/Groups/${id}`);
    expect(body).toMatchObject({ displayName: "Renamed again", externalId: "g-9" });
    expect(await membersOf(scim, id)).toEqual([a]);
    await patch(scim, id, { op: "replace", path: "members", value: toValues([b, c]) });
    expect(await membersOf(scim, id)).toEqual([b, c].sort());
    await patch(scim, id, { op: "remove", path: "members" });
    expect(await membersOf(scim, id)).toEqual([]);
    for (const refused of [
      { op: "remove", path: "displayName" },
      { op: "add", path: "members", value: toValues(["user_unknown"]) },
      { op: "add", path: "members", value: [{ value: id, type: "Group" }] },
      { op: "remove", path: 'members[display co "a"]' },
    ]) {
      expect((await patch(scim, id, refused)).status, JSON.stringify(refused)).toBe(400);
    }
  });

  test("has a name and an external id of its own in the directory", async ({ h, org, scim }) => {
    await provideGroup(scim, { displayName: "Sales", externalId: "g-1" });
    const other = await provideGroup(scim);
    const answers = [
      await scim.send("POST", "/Groups", { displayName: "SALES" }),
      await scim.send("POST", "/Groups", { displayName: "New", externalId: "g-1" }),
      await patch(scim, other.id, { op: "replace", path: "displayName", value: "Sales" }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([409, 409, 409]);
    expect(answers.map(({ body }) => body.scimType)).toEqual(Array(3).fill("uniqueness"));
    expect((await scim.send("POST", "/Groups", { displayName: " \n" })).status).toBe(400);
    await provideGroup(await startScim(h, org), { displayName: "Sales", externalId: "g-1" });
  });

  test("is visible neither to another directory nor beside a group made by hand", async ({
    h,
    org,
    scim,
  }) => {
    const user = await provideUser(scim);
    const { id } = await provideGroup(scim);
    const byHand = await org.admin.post<Group>(admin, { name: "By hand" });
    const other = await startScim(h, org);
    const foreign = await provideUser(other);
    for (const [client, groupId] of [
      [other, id],
      [scim, byHand.body.id],
    ] as const) {
      for (const method of ["GET", "DELETE"] as const) {
        expect((await client.send(method, `/Groups/${groupId}`)).status).toBe(404);
      }
      const changed = await patch(client, groupId, { op: "remove", path: "members" });
      expect(changed.status).toBe(404);
    }
    expect((await other.send("GET", "/Groups")).body.totalResults).toBe(0);
    const mixed = await patch(scim, id, {
      ...{ op: "add", path: "members", value: toValues([user, foreign]) },
    });
    expect(mixed.status).toBe(400);
    expect(await membersOf(scim, id)).toEqual([]);
  });

  test("omits members on request, and shows only the named attributes", async ({ scim }) => {
    const user = await provideUser(scim);
    const { id } = await provideGroup(scim, { members: toValues([user]) });
    const [without] = (await scim.send("GET", "/Groups?excludedAttributes=members")).body.Resources;
    expect(without?.members).toBeUndefined();
    const named = await scim.send("GET", `/Groups/${id}?attributes=members.value`);
    expect(named.body).toEqual({ schemas: named.body.schemas, id, members: [{ value: user }] });
    const patched = await scim.send("PATCH", `/Groups/${id}?attributes=displayName`, {
      Operations: [{ op: "replace", path: "displayName", value: "Shown" }],
    });
    expect(patched.body).toEqual({ schemas: named.body.schemas, id, displayName: "Shown" });
  });
});

describe("members of a group of a directory", () => {
  test("have its roles until the directory removes them", async ({ org, scim, workspaceId }) => {
    const user = await provideUser(scim);
    const { id } = await provideGroup(scim, { members: toValues([user]) });
    const given = { workspace_role: "workspace_developer" };
    expect(
      (await org.operator.post(`${admin}/${id}/workspaces/${workspaceId}`, given)).status,
    ).toBe(200);
    const hasRole = async () =>
      (
        await org.admin.get<Listed<{ id: string }>>(`/v1/admin/members?workspace_id=${workspaceId}`)
      ).body.data.some((member) => member.id === user);
    expect(await hasRole()).toBe(true);
    const allowed_models = ["claude-haiku-*"];
    const limited = await org.operator.post<Group>(`${admin}/${id}`, { allowed_models });
    expect(limited.body.allowed_models).toEqual(allowed_models);
    await patch(scim, id, { op: "remove", path: "members" });
    expect(await hasRole()).toBe(false);
  });

  test("who were added by hand stay, and remain through the directory", async ({ org, scim }) => {
    const user = await provideUser(scim);
    const { id } = await provideGroup(scim, { members: toValues([user]) });
    const byHand = await org.member();
    const sources = async () =>
      Object.fromEntries(
        (await org.admin.get<Listed<GroupMember>>(`${admin}/${id}/members`)).body.data.map(
          ({ member_id, source }) => [member_id, source],
        ),
      );
    for (const member_id of [user, byHand.id]) {
      await org.admin.post(`${admin}/${id}/members`, { member_id });
    }
    expect(await sources()).toEqual({ [user]: "direct", [byHand.id]: "direct" });
    await org.admin.remove(`${admin}/${id}/members/${user}`);
    expect(await sources()).toEqual({ [user]: "scim", [byHand.id]: "direct" });
    expect(codeOf(await org.admin.remove(`${admin}/${id}/members/${user}`))).toBe(
      "managed_by_directory",
    );
    await scim.send("PUT", `/Groups/${id}`, { displayName: "Empty", members: [] });
    expect(await sources()).toEqual({ [byHand.id]: "direct" });
  });

  test("return when the directory reactivates them", async ({ h, org, scim }) => {
    const user = await provideUser(scim);
    const { id } = await provideGroup(scim, { members: toValues([user]) });
    const setActive = (value: boolean) =>
      scim.send("PATCH", `/Users/${user}`, {
        Operations: [{ op: "replace", path: "active", value }],
      });
    const countMembers = async () =>
      (await org.admin.get<Group>(`${admin}/${id}`)).body.member_count;
    await setActive(false);
    expect([await countMembers(), await membersOf(scim, id)]).toEqual([0, [user]]);
    await setActive(true);
    expect(await countMembers()).toBe(1);
    // A row that this server did not write gives no membership.
    h.deps.rows.require();
    const other = await provideGroup(scim);
    await h.deps.database
      .insertInto("scim_group_member")
      .values({ group_id: other.id, member_id: user, created_at: new Date() })
      .execute();
    await setActive(false);
    await setActive(true);
    expect(await countMembers()).toBe(1);
    expect((await org.admin.get<Group>(`${admin}/${other.id}`)).body.member_count).toBe(0);
    await scim.send("DELETE", `/Users/${user}`);
    expect(await membersOf(scim, id)).toEqual([]);
  });

  test("are thousands, within the bounds of a request", { timeout: 60_000 }, async ({
    h,
    org,
    scim,
  }) => {
    const count = 2_000;
    const { directoryId } = scim;
    const ids = await insertUsers(h.deps, { organizationId: org.id, directoryId, count });
    const { id } = await provideGroup(scim, { members: toValues(ids) });
    expect((await org.admin.get<Group>(`${admin}/${id}`)).body.member_count).toBe(count);
    expect((await membersOf(scim, id)).length).toBe(count);
    const tooMany = Array.from({ length: MAX_NAMED_MEMBERS + 1 }, (_, index) => `user_${index}`);
    const answers = [
      await scim.send("POST", "/Groups", { displayName: "Big", members: toValues(tooMany) }),
      await patch(scim, id, { op: "add", path: "members", value: toValues(tooMany) }),
      await patch(scim, id, ...Array(1_001).fill({ op: "remove", path: "members" })),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
  });
});

describe("without a valid SCIM token", () => {
  test("a group of a directory is changed by hand", async ({ org, scim }) => {
    const user = await provideUser(scim);
    const { id } = await provideGroup(scim, { members: toValues([user]) });
    const changes = [
      () => org.admin.post(`${admin}/${id}`, { name: "Renamed" }),
      () => org.admin.remove(`${admin}/${id}/members/${user}`),
      () => org.admin.remove(`${admin}/${id}`),
    ];
    for (const change of changes) expect(codeOf(await change())).toBe("managed_by_directory");
    const tokens = `/v1/admin/directories/${scim.directoryId}/scim_tokens`;
    await org.operator.post(`${tokens}/${scim.tokenId}/revoke`);
    expect((await org.admin.get<Group>(`${admin}/${id}`)).body.is_managed).toBe(false);
    for (const change of changes) expect((await change()).status).toBe(200);
  });

  test("a deleted directory leaves its groups and members", async ({ h, org, scim }) => {
    const [user, gone] = [await provideUser(scim), await provideUser(scim)];
    const { id } = await provideGroup(scim, { members: toValues([user]) });
    await scim.send("PATCH", `/Users/${gone}`, {
      Operations: [{ op: "replace", path: "active", value: false }],
    });
    const path = `/v1/admin/directories/${scim.directoryId}`;
    expect((await org.operator.remove(path)).status).toBe(200);
    expect((await scim.send("GET", "/Users")).status).toBe(401);
    const { body } = await org.admin.get<Group>(`${admin}/${id}`);
    expect(body).toMatchObject({
      ...{ source: "direct", directory_id: null, is_managed: false, member_count: 1 },
    });
    const statusOf = async (member: string) =>
      (await org.admin.get<{ status: string }>(`/v1/admin/members/${member}`)).body.status;
    expect([await statusOf(user), await statusOf(gone)]).toEqual(["active", "deactivated"]);
    const [event] = await auditEventsOf(h.deps.database, scim.directoryId).then((events) =>
      events.filter(({ event: name }) => name === "directory.deleted"),
    );
    expect(event?.after).toEqual({
      ...{ ended_sessions: 0, ended_scim_tokens: 1, released_users: 2, released_groups: 1 },
    });
    expect((await auditEventsOf(h.deps.database, id)).at(-1)?.event).toBe("group.released");
    expect((await org.admin.remove(`${admin}/${id}/members/${user}`)).status).toBe(200);
  });
});
