import { expect, test } from "vitest";
import { watchEvents } from "#test/harness/audit-events.ts";
import {
  directoryId,
  h,
  newPerson,
  org,
  prepareDirectory,
  signIn,
} from "#test/harness/directory-sign-in.ts";
import { connectScim } from "#test/harness/scim.ts";
import { ME } from "#test/harness/sign-in.ts";

prepareDirectory();

/** Provides the person by SCIM. Returns the id of the member. */
async function provide(fields: { userName: string; externalId?: string }): Promise<string> {
  const scim = await connectScim(h, org, directoryId);
  return (await scim.send("POST", "/Users", fields)).body.id;
}

test("a person whom the directory created by SCIM signs in without a confirmation", async () => {
  const [byAddress, bySubject] = [newPerson(), newPerson()];
  const other = { userName: "other@acme.example", externalId: bySubject.sub };
  for (const { person, fields } of [
    { person: byAddress, fields: { userName: byAddress.email.toUpperCase() } },
    { person: bySubject, fields: other },
  ]) {
    const id = await provide(fields);
    const readEvents = await watchEvents(h.deps.database, org.id);
    const { browser, answer } = await signIn(person);
    expect(answer.body).toEqual({ type: "signed_in" });
    expect((await browser.get<{ member: { id: string } }>(ME)).body.member.id).toBe(id);
    expect(await readEvents()).toContainEqual(
      expect.objectContaining({
        ...{ event: "directory.linked", actor_id: id },
        after: { directory_id: directoryId, by: "SCIM" },
      }),
    );
    expect((await signIn(person)).answer.body).toEqual({ type: "signed_in" });
  }
});

test("an adopted member, an admin, and an unverified address need a confirmation or are refused", async () => {
  const [adopted, admin, unverified] = [
    newPerson(),
    newPerson(),
    newPerson({ email_verified: false }),
  ];
  await org.member({ email: adopted.email });
  await provide({ userName: adopted.email, externalId: adopted.sub });
  const id = await provide({ userName: admin.email, externalId: admin.sub });
  await org.operator.post(`/v1/admin/members/${id}`, { role: "admin" });
  await provide({ userName: unverified.email });
  for (const person of [adopted, admin]) {
    expect((await signIn(person)).answer.body).toEqual({ type: "link_required" });
  }
  const refused = await signIn(unverified);
  expect(refused.answer.error.details?.error_code).toBe("directory_sign_in_refused");
});

test("a second person is not linked to the same member", async () => {
  const [person, second] = [newPerson(), newPerson()];
  await provide({ userName: person.email, externalId: second.sub });
  expect((await signIn(person)).answer.body).toEqual({ type: "signed_in" });
  const refused = await signIn(second);
  expect(refused.answer.error.details?.error_code).toBe("address_taken");
});

test("a directory counts the members who sign in through it, and those whom it provides", async () => {
  const [first, second] = [newPerson(), newPerson()];
  await provide({ userName: first.email });
  const id = await provide({ userName: second.email });
  await signIn(first);
  const read = async () => (await org.operator.get(`/v1/admin/directories/${directoryId}`)).body;
  expect(await read()).toMatchObject({
    scim_uri: "https://bursar.example.com/scim/v2",
    people: { linked: 1, provided: 2 },
  });
  await org.operator.remove(`/v1/admin/members/${id}`);
  expect(await read()).toMatchObject({ people: { linked: 1, provided: 1 } });
});
