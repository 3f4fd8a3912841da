import { expect } from "vitest";
import { authenticateLaptop } from "#src/key-lookup/authenticate-laptop.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { signInLaptop } from "#test/harness/laptops.ts";
import { postForm, type Tokens } from "#test/harness/oauth.ts";

const NAME = "cost_center";

const test = base.extend("laptop", async ({ h, org, workspaceId }) => {
  const member = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
  const place = { organizationId: org.id, workspaceId, memberId: member.id };
  const laptop = await signInLaptop(h.deps, place);
  return {
    /** Adds the member to a group. */
    join: async (name: string) => {
      const group = await org.operator.post<{ id: string }>("/v1/admin/groups", { name });
      await org.operator.post(`/v1/admin/groups/${group.body.id}/members`, {
        member_id: member.id,
      });
    },
    /** Finds the claims of the next access token and its key. */
    refresh: async () => {
      const form = { grant_type: "refresh_token", refresh_token: laptop.refreshToken };
      const { status, body } = await postForm<Tokens>(h, "token", form);
      expect(status).toBe(200);
      return authenticateLaptop(h.deps, body.access_token, null);
    },
  };
});

test("the tag is in the next access token, and its values are the groups of the person", async ({
  org,
  workspaceId,
  laptop,
}) => {
  await laptop.join("Research");
  expect((await laptop.refresh()).key?.groupTags).toBeNull();
  await org.operator.post(`/v1/admin/workspaces/${workspaceId}`, { tags: { [NAME]: "4711" } });
  const set = await org.operator.post("/v1/admin/organization", { billing_group_tag: NAME });
  expect(set.body).toMatchObject({ billing_group_tag: NAME });
  await laptop.join("Legal");
  const { claims, key } = await laptop.refresh();
  expect([claims.billingGroupTag, [...claims.groupNames].sort()]).toEqual([
    NAME,
    ["Legal", "Research"],
  ]);
  const { body } = await org.operator.get<{ data: { id: string; value: string }[] }>(
    `/v1/admin/tags?name=${NAME}`,
  );
  const ids = Object.fromEntries(body.data.map(({ id, value }) => [value, id]));
  expect(Object.keys(ids).sort()).toEqual(["4711", "Legal", "Research"]);
  expect(key?.groupTags).toEqual({
    name: NAME,
    replacedId: ids["4711"],
    ids: { Legal: ids["Legal"], Research: ids["Research"] },
  });
  await org.operator.post("/v1/admin/organization", { billing_group_tag: null });
  const without = await laptop.refresh();
  expect([without.claims.billingGroupTag, without.key?.groupTags]).toEqual([null, null]);
});
