import Anthropic from "@anthropic-ai/sdk";
import { describe, expect } from "vitest";
import { test } from "#test/harness/database-test.ts";
import { openUpstream } from "#test/harness/gateway-calls.ts";
import { type ObjectClient, openObjectGateway } from "#test/harness/object-gateway.ts";

const skillFile = (name: string, description = "A skill.") =>
  new File(
    [`---\nname: ${name}\ndescription: ${description}\n---\n# ${name}\n`],
    `${name}/SKILL.md`,
  );
const create = ({ sdk }: ObjectClient, name: string) =>
  sdk.skills.create({ files: [skillFile(name)] });
const idsOf = async (list: AsyncIterable<{ id: string }>) => {
  const ids: string[] = [];
  for await (const { id } of list) ids.push(id);
  return ids;
};
const published = ["docx", "pdf", "pptx", "xlsx"];

describe("skills", () => {
  test("and their versions are created, read, listed and deleted by the official SDK", async ({
    db,
  }) => {
    const { addWorkspace } = await openObjectGateway({ db });
    const { sdk, ...client } = addWorkspace("wrkspc_skills");
    const skill = await create({ sdk, ...client }, "my-skill");
    expect(await sdk.skills.retrieve(skill.id)).toEqual(skill);
    const version = await sdk.skills.versions.create(skill.id, {
      files: [skillFile("my-skill", "The second.")],
    });
    expect(await sdk.skills.versions.retrieve(version.id, { skill_id: skill.id })).toEqual(version);
    expect(await idsOf(sdk.skills.versions.list(skill.id, { limit: 1 }))).toEqual([
      version.id,
      skill.latest_version_id,
    ]);
    const [listed] = (await sdk.skills.list({ source: "custom" })).data;
    expect(listed).toEqual(await sdk.skills.retrieve(skill.id));
    expect(listed?.latest_version_id).toBe(version.id);
    await sdk.skills.versions.delete(version.id, { skill_id: skill.id });
    expect((await sdk.skills.list({ source: "custom" })).data[0]?.latest_version_id).toBe(
      skill.latest_version_id,
    );
    expect(await sdk.skills.delete(skill.id)).toEqual({ id: skill.id, type: "skill_deleted" });
    await expect(sdk.skills.retrieve(skill.id)).rejects.toThrow(Anthropic.NotFoundError);
    expect((await sdk.skills.list({ source: "custom" })).data).toEqual([]);
  });

  test("of the workspace come before those of Anthropic, in pages of any length", async ({
    db,
  }) => {
    const { addWorkspace } = await openObjectGateway({ db });
    const client = addWorkspace("wrkspc_skill_pages");
    await create(addWorkspace("wrkspc_skill_pages_2"), "foreign");
    const own: string[] = [];
    for (const name of ["a", "b", "c"]) own.unshift((await create(client, `skill-${name}`)).id);
    for (const limit of [1, 2, 3, 4, 20]) {
      const ids = await idsOf(client.sdk.skills.list({ limit }));
      expect([ids.slice(0, 3), ids.slice(3).sort()]).toEqual([own, published]);
    }
    expect(await idsOf(client.sdk.skills.list({ source: "custom", limit: 2 }))).toEqual(own);
    const official = await idsOf(client.sdk.skills.list({ source: "anthropic", limit: 3 }));
    expect(official.sort()).toEqual(published);
  });

  test("of Anthropic can be read by every workspace, and changed by none", async ({ db }) => {
    const { addWorkspace } = await openObjectGateway({ db });
    const { sdk } = addWorkspace("wrkspc_published");
    const skill = await sdk.skills.retrieve("pptx");
    expect(skill.source.type).toBe("anthropic");
    expect(await idsOf(sdk.skills.versions.list("pptx"))).toEqual([skill.latest_version_id]);
    const files = [skillFile("pptx")];
    await expect(sdk.skills.delete("pptx")).rejects.toThrow(Anthropic.NotFoundError);
    await expect(sdk.skills.versions.create("pptx", { files })).rejects.toThrow(
      Anthropic.NotFoundError,
    );
  });

  test("of other workspaces are in no list, whatever the upstream returns", async ({ db }) => {
    const upstream = await openUpstream();
    const custom = { type: "skill", id: "skill_foreign", source: { type: "custom" } };
    const shared = { type: "skill", id: "pptx", source: { type: "anthropic" } };
    upstream.script = (exchange) =>
      exchange.json({ data: [custom, shared], next_page: null, has_more: false });
    const { addWorkspace } = await openObjectGateway({ db, origin: upstream.origin });
    const { sdk } = addWorkspace("wrkspc_wrong_list");
    for (const source of ["anthropic", "plugin", undefined]) {
      const { data } = await sdk.skills.list(source === undefined ? {} : { source });
      expect(data.map(({ id }) => id)).toEqual(["pptx"]);
    }
    expect((await sdk.skills.list({ source: "custom" })).data).toEqual([]);
  });
});
