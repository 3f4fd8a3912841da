import { describe, expect } from "vitest";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { type ScimClient, startScim } from "#test/harness/scim.ts";
import { FEED_BURST } from "./feed-rate.ts";

const test = base.extend("scim", ({ h, org }) => startScim(h, org));

let count = 0;
const newUser = (fields: object = {}) => {
  count += 1;
  return { userName: `person-${count}@example.com`, externalId: `00u${count}`, ...fields };
};
const provide = async (scim: ScimClient, fields: object = {}) =>
  (await scim.send("POST", "/Users", newUser(fields))).body;
const patch = (scim: ScimClient, id: string, ...Operations: object[]) =>
  scim.send("PATCH", `/Users/${id}`, {
    schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    Operations,
  });

describe("a user of a directory", () => {
  test("becomes a member with the directory's default role", async ({ h, org, scim }) => {
    const made = await scim.send(
      "POST",
      "/Users",
      newUser({
        name: { givenName: "Ada", familyName: "Lovelace" },
        roles: [{ value: "owner" }],
        title: "Countess",
      }),
    );
    expect(made.status).toBe(201);
    expect(made.headers["content-type"]).toContain("application/scim+json");
    expect(made.headers["location"]).toBe(made.body.meta.location);
    const member = await org.admin.get(`/v1/admin/members/${made.body.id}`);
    expect(member.body).toMatchObject({ name: "Ada Lovelace", role: "user", status: "active" });
    const [event] = await auditEventsOf(h.deps.database, made.body.id);
    expect(event).toMatchObject({ event: "member.created", actor_type: "directory" });
  });

  test("is found by user name in any case, by external id and by other filters", async ({
    scim,
  }) => {
    const ada = await provide(scim, { displayName: "Ada", active: true });
    await provide(scim);
    const find = async (filter: string) =>
      (await scim.send("GET", `/Users?filter=${encodeURIComponent(filter)}`)).body.Resources.map(
        (user: { id: string }) => user.id,
      );
    expect(await find(`userName eq "${ada.userName.toUpperCase()}"`)).toEqual([ada.id]);
    expect(await find(`externalId eq "${ada.externalId}"`)).toEqual([ada.id]);
    expect(await find(`displayName sw "ad" and active eq true`)).toEqual([ada.id]);
    expect(await find(`userName eq "absent@example.com"`)).toEqual([]);
    const page = await scim.send("GET", "/Users?startIndex=2&count=1");
    expect(page.body).toMatchObject({ totalResults: 2, startIndex: 2, itemsPerPage: 1 });
    expect((await scim.send("GET", "/Users?filter=userName%20is")).body.scimType).toBe(
      "invalidFilter",
    );
  });

  test("changes by the PATCH forms of Okta and Entra", async ({ org, scim }) => {
    const { id } = await provide(scim);
    await patch(scim, id, { op: "replace", value: { active: false } });
    expect((await scim.send("GET", `/Users/${id}`)).body.active).toBe(false);
    const changed = await patch(
      scim,
      id,
      { op: "Replace", path: "active", value: "True" },
      { op: "Add", path: 'emails[type eq "work"].value', value: "ada@example.com" },
      { op: "Replace", path: "name.familyName", value: "Lovelace" },
      { op: "Add", path: "title", value: "Countess" },
    );
    expect(changed.body).toMatchObject({
      active: true,
      emails: [{ type: "work", value: "ada@example.com" }],
      name: { familyName: "Lovelace" },
    });
    const member = await org.admin.get(`/v1/admin/members/${id}`);
    expect(member.body).toMatchObject({ email: "ada@example.com", status: "active" });
  });

  test("a changed address of one type stays the primary one", async ({ org, scim }) => {
    const emails = [
      { type: "other", value: "eve@example.com", primary: true },
      { type: "work", value: "work@example.com" },
    ];
    const { id } = await provide(scim, { emails });
    const path = 'emails[type eq "other"].value';
    const changed = await patch(scim, id, { op: "Replace", path, value: "eva@example.com" });
    expect(changed.body).toMatchObject({
      emails: [
        { type: "work", value: "work@example.com" },
        { type: "other", value: "eva@example.com", primary: true },
      ],
    });
    const member = await org.admin.get(`/v1/admin/members/${id}`);
    expect(member.body).toMatchObject({ email: "eva@example.com" });
  });

  test("a path of the prototype changes nothing", async ({ scim }) => {
    const { id } = await provide(scim);
    for (const path of ["__proto__.polluted", "name.__proto__.polluted", "constructor.polluted"]) {
      await patch(scim, id, { op: "add", path, value: "yes" });
    }
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("loses sessions and groups with the deactivation, and gets none back", async ({
    h,
    org,
    scim,
  }) => {
    const { id, email, client } = await org.member();
    const adopted = await provide(scim, { userName: email });
    expect(adopted.id).toBe(id);
    const deactivated = await patch(scim, id, { op: "replace", value: { active: false } });
    expect(deactivated.body.active).toBe(false);
    expect((await client.get("/v1/admin/members")).status).toBe(401);
    await patch(scim, id, { op: "replace", value: { active: true } });
    expect((await client.get("/v1/admin/members")).status).toBe(401);
    const events = await auditEventsOf(h.deps.database, id);
    expect(events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(["member.adopted", "member.deactivated", "member.reactivated"]),
    );
    expect(events.find(({ event }) => event === "member.deactivated")?.after).toMatchObject({
      ended: { sessions: 1, api_keys: [], groups: [] },
    });
  });

  test("returns after its deletion", async ({ scim }) => {
    const made = await provide(scim);
    expect((await scim.send("DELETE", `/Users/${made.id}`)).status).toBe(204);
    expect((await scim.send("GET", `/Users/${made.id}`)).status).toBe(404);
    const again = await provide(scim, { userName: made.userName });
    expect(again).toMatchObject({ id: made.id, active: true });
  });
});

describe("a directory", () => {
  test("adopts no owner, and reactivates only whom it deactivated", async ({ org, scim }) => {
    const owner = await org.member({ role: "owner" });
    const refused = await scim.send("POST", "/Users", newUser({ userName: owner.email }));
    expect([refused.status, refused.body.scimType]).toEqual([409, "uniqueness"]);
    const { id } = await provide(scim);
    await org.operator.post(`/v1/admin/members/${id}/deactivate`);
    const back = await patch(scim, id, { op: "replace", value: { active: true } });
    expect(back.status).toBe(409);
    // A reactivation by an administrator ends what the directory may undo.
    const other = await provide(scim);
    await patch(scim, other.id, { op: "replace", value: { active: false } });
    await org.operator.post(`/v1/admin/members/${other.id}/reactivate`);
    await org.operator.post(`/v1/admin/members/${other.id}/deactivate`);
    const again = await patch(scim, other.id, { op: "replace", value: { active: true } });
    expect(again.status).toBe(409);
  });

  test("changes no address of an owner or admin", async ({ org, scim }) => {
    for (const role of ["owner", "admin"]) {
      const { id, userName } = await provide(scim);
      await org.operator.post(`/v1/admin/members/${id}`, { role });
      const moved = {
        op: "replace",
        path: 'emails[type eq "work"].value',
        value: "eve@example.com",
      };
      const answer = await patch(scim, id, moved);
      expect([answer.status, answer.body.scimType]).toEqual([403, "mutability"]);
      const member = await org.admin.get(`/v1/admin/members/${id}`);
      expect(member.body).toMatchObject({ email: userName });
    }
  });

  test("never deactivates the last owner", async ({ org, scim }) => {
    const { id } = await provide(scim);
    await org.operator.post(`/v1/admin/members/${id}`, { role: "owner" });
    expect((await scim.send("DELETE", `/Users/${id}`)).status).toBe(403);
    expect((await org.admin.get(`/v1/admin/members/${id}`)).body).toMatchObject({
      status: "active",
    });
  });

  test("provides only addresses of its domains, each once", async ({ scim }) => {
    const other = await scim.send("POST", "/Users", newUser({ userName: "ada@other.example" }));
    expect([other.status, other.body.scimType]).toEqual([400, "invalidValue"]);
    const made = await provide(scim);
    const twice = await scim.send("POST", "/Users", { userName: made.userName });
    expect([twice.status, twice.body.scimType]).toEqual([409, "uniqueness"]);
  });

  test("sees no user of another directory or organization", async ({ h, org, scim }) => {
    const { id, userName } = await provide(scim);
    const others = [await startScim(h, org), await startScim(h, await h.organization())];
    for (const other of others) {
      for (const method of ["GET", "DELETE"] as const) {
        expect((await other.send(method, `/Users/${id}`)).status).toBe(404);
      }
      expect((await other.send("GET", "/Users")).body.totalResults).toBe(0);
    }
    const taken = await others[0]?.send("POST", "/Users", { userName });
    expect(taken?.status).toBe(409);
  });

  test("is refused with a revoked token", async ({ org, scim }) => {
    await org.operator.post(
      `/v1/admin/directories/${scim.directoryId}/scim_tokens/${scim.tokenId}/revoke`,
    );
    const refused = await scim.send("GET", "/Users");
    expect([refused.status, refused.body.status]).toEqual([401, "401"]);
    expect(refused.body.schemas).toEqual(["urn:ietf:params:scim:api:messages:2.0:Error"]);
  });

  test("is refused with a token that this server did not write", async ({ h, scim }) => {
    h.deps.rows.require();
    await h.deps.database
      .updateTable("scim_token")
      .set({ valid_until: new Date("2100-01-01") })
      .where("id", "=", scim.tokenId)
      .execute();
    expect((await scim.send("GET", "/Users")).status).toBe(401);
  });

  test("searches with a body, and reads the attributes that it names", async ({ scim }) => {
    const made = await provide(scim, { displayName: "Ada" });
    await provide(scim);
    const search = { filter: `userName eq "${made.userName}"`, attributes: ["displayName"] };
    const found = await scim.send("POST", "/Users/.search", search);
    expect(found.body.Resources).toEqual([
      { schemas: found.body.Resources[0]?.schemas, id: made.id, displayName: "Ada" },
    ]);
    expect((await scim.send("POST", "/.search", {})).status).toBe(501);
  });

  test("is answered up to its rate, and then with a 429", async ({ h, org, scim }) => {
    const send = (client: ScimClient) => client.send("GET", "/ResourceTypes");
    const answers = await Promise.all(Array.from({ length: FEED_BURST + 1 }, () => send(scim)));
    const [refused, ...others] = answers.filter(({ status }) => status !== 200);
    expect(others).toEqual([]);
    expect(refused?.headers["retry-after"]).toBe("1");
    expect([refused?.status, refused?.body.status]).toEqual([429, "429"]);
    expect((await send(await startScim(h, org))).status).toBe(200);
    h.clock.nowMs += 1_000;
    expect((await send(scim)).status).toBe(200);
  });

  test("reads what the server supports", async ({ scim }) => {
    const config = await scim.send("GET", "/ServiceProviderConfig");
    expect(config.body).toMatchObject({ patch: { supported: true }, bulk: { supported: false } });
    const schemas = await scim.send("GET", "/Schemas");
    expect(schemas.body.Resources).toMatchObject([{ name: "User" }, { name: "Group" }]);
    expect((await scim.send("GET", "/ResourceTypes/User")).body.endpoint).toBe("/Users");
    expect((await scim.send("GET", "/Nothing")).status).toBe(404);
    expect((await scim.send("GET", "/Schemas/100%25")).status).toBe(404);
    const refused = await scim.send("POST", "/Schemas", {});
    expect([refused.status, refused.headers["allow"]]).toEqual([405, "GET"]);
  });
});
