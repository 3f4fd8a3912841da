import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Anthropic, { toFile } from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../server.ts";

let nowMs = Date.parse("2026-11-30T12:00:00Z");
let simulator: Simulator;
let client: Anthropic;

beforeAll(async () => {
  const clock = { nowMs: () => nowMs++, monotonicMs: () => nowMs };
  simulator = await startSimulator({ port: 0 }, { clock });
  if (!("origin" in simulator.address)) throw new Error("a port was asked for");
  const baseURL = simulator.address.origin;
  client = new Anthropic({ apiKey: "sk-ant-test", baseURL, maxRetries: 0 });
});
afterAll(() => simulator.close());

const head = (name: string, description: string) =>
  `---\nname: ${name}\ndescription: "${description}"\n---\n# Steps\n`;
const file = (path: string, text: string) => toFile(Buffer.from(text), path);
const create = async (name: string, displayName?: string) =>
  client.skills.create({
    files: [
      await file(`${name}/SKILL.md`, head(name, "Counts.")),
      await file(`${name}/scripts/count.py`, "print(1)\n"),
    ],
    ...(displayName !== undefined && { display_name: displayName }),
  });

describe("a skill", () => {
  test("has the official shape, and versions of the same name", async () => {
    const skill = await create("count-words");
    expect(skill).toEqual({
      id: expect.stringMatching(/^skill_[0-9A-Za-z]{24}$/),
      type: "skill",
      display_name: "count-words",
      latest_version_id: expect.stringMatching(/^skver_[0-9A-Za-z]{24}$/),
      source: { type: "custom" },
      created_at: expect.stringMatching(/^2026-11-30T12:/),
      updated_at: expect.stringMatching(/^2026-11-30T12:/),
    });
    const second = await client.skills.versions.create(skill.id, {
      files: [await file("count-words/SKILL.md", head("count-words", "Counts better."))],
    });
    expect(second).toMatchObject({
      type: "skill_version",
      skill_id: skill.id,
      name: "count-words",
      description: "Counts better.",
    });
    const updated = await client.skills.retrieve(skill.id);
    expect(updated.latest_version_id).toBe(second.id);
    const versions = await client.skills.versions.list(skill.id, { limit: 1 });
    expect(versions.data).toEqual([second]);
    const older = (await versions.getNextPage()).data;
    expect(older.map(({ id }) => id)).toEqual([skill.latest_version_id]);
    const other = client.skills.versions.create(skill.id, {
      files: [await file("other/SKILL.md", head("other", "Counts."))],
    });
    await expect(other).rejects.toMatchObject({ status: 400 });
  });

  test("comes back as an archive that other programs read", async () => {
    const skill = await create("zip-me");
    const response = await client.beta.skills.versions.download(skill.latest_version_id, {
      skill_id: skill.id,
    });
    const folder = mkdtempSync(join(tmpdir(), "simulator-skill-"));
    writeFileSync(join(folder, "skill.zip"), Buffer.from(await response.arrayBuffer()));
    execFileSync("python3", ["-m", "zipfile", "-e", "skill.zip", "."], { cwd: folder });
    expect(readFileSync(join(folder, "zip-me/SKILL.md"), "utf8")).toBe(head("zip-me", "Counts."));
    expect(readFileSync(join(folder, "zip-me/scripts/count.py"), "utf8")).toBe("print(1)\n");
    rmSync(folder, { recursive: true });
  });

  test("keeps one version, and ends on its deletion", async () => {
    const skill = await create("short-lived", "Short lived");
    expect(skill.display_name).toBe("Short lived");
    const params = { skill_id: skill.id };
    await expect(
      client.skills.versions.delete(skill.latest_version_id, params),
    ).rejects.toMatchObject({ status: 400 });
    const { id } = await client.skills.versions.create(skill.id, {
      files: [await file("short-lived/SKILL.md", head("short-lived", "Two."))],
    });
    expect(await client.skills.versions.delete(id, params)).toEqual({
      id,
      type: "skill_version_deleted",
    });
    await expect(client.skills.versions.retrieve(id, params)).rejects.toMatchObject({
      status: 404,
    });
    expect(await client.skills.delete(skill.id)).toEqual({ id: skill.id, type: "skill_deleted" });
    await expect(client.skills.retrieve(skill.id)).rejects.toMatchObject({
      status: 404,
      type: "not_found_error",
    });
  });

  test("of Anthropic is listed and read-only", async () => {
    const published = await client.skills.list({ source: "anthropic" });
    expect(published.data.map(({ id }) => id)).toEqual(["docx", "pdf", "pptx", "xlsx"]);
    expect(await client.skills.retrieve("xlsx")).toMatchObject({ source: { type: "anthropic" } });
    await expect(client.skills.delete("xlsx")).rejects.toMatchObject({ status: 403 });
    const ids: string[] = [];
    for await (const { id } of client.skills.list({ limit: 1 })) ids.push(id);
    const own: string[] = [];
    for await (const { id } of client.skills.list({ source: "custom" })) own.push(id);
    expect(ids).toEqual([...own, "docx", "pdf", "pptx", "xlsx"]);
    expect(own.length).toBeGreaterThan(0);
  });

  test.each([
    ["no SKILL.md", "one/README.md", "x"],
    ["no directory", "SKILL.md", head("one", "Two.")],
    ["a path to a parent", "one/../SKILL.md", head("one", "Two.")],
    ["an invalid name", "one/SKILL.md", head("One Two", "Two.")],
    ["no description", "one/SKILL.md", "---\nname: one\n---\n"],
  ])("with %s is refused", async (_, path, text) => {
    const created = client.skills.create({ files: [await file(path, text)] });
    await expect(created).rejects.toMatchObject({ status: 400, type: "invalid_request_error" });
  });
});
