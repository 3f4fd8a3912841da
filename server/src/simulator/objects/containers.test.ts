import Anthropic, { toFile } from "@anthropic-ai/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
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

type Params = Anthropic.MessageCreateParamsNonStreaming;
const tools: Params["tools"] = [{ type: "code_execution_20250825", name: "code_execution" }];
const params: Params = {
  model: "claude-opus-5",
  max_tokens: 500,
  tools,
  messages: [{ role: "user", content: "Use code_execution." }],
};

test("code execution runs in a container, which a later request uses again", async () => {
  const first = await client.messages.create(params);
  expect(first.container).toEqual({
    id: expect.stringMatching(/^container_[0-9A-Za-z]{24}$/),
    expires_at: expect.stringMatching(/^2026-11-30T13:/),
    skills: null,
  });
  const [use, result, text] = first.content;
  expect(use).toMatchObject({ type: "server_tool_use", name: "bash_code_execution" });
  expect(result).toMatchObject({
    type: "bash_code_execution_tool_result",
    tool_use_id: use?.type === "server_tool_use" ? use.id : "",
    content: { type: "bash_code_execution_result", return_code: 0, content: [] },
  });
  expect(text?.type).toBe("text");
  const container = first.container?.id ?? "";
  const again = await client.messages.create({ ...params, container });
  expect(again.container?.id).toBe(container);
  const streamed = await client.messages.stream({ ...params, container }).finalMessage();
  expect(streamed.container?.id).toBe(container);
  expect(streamed.content.map(({ type }) => type)).toEqual(first.content.map(({ type }) => type));
  const plain = await client.messages.create({
    ...params,
    messages: [{ role: "user", content: "Hello" }],
  });
  expect(plain.container).toBeNull();
});

test("an uploaded file comes back as a generated file, which can be downloaded", async () => {
  const file = await client.files.upload({ file: await toFile(Buffer.from("1,2\n"), "data.csv") });
  const message = await client.messages.create({
    ...params,
    messages: [{ role: "user", content: [{ type: "container_upload", file_id: file.id }] }],
  });
  const result = message.content.find(({ type }) => type === "bash_code_execution_tool_result");
  if (result?.type !== "bash_code_execution_tool_result") throw new Error("no code ran");
  if (result.content.type !== "bash_code_execution_result") throw new Error("the code failed");
  const [output] = result.content.content;
  const downloaded = await client.files.download(output?.file_id ?? "");
  expect(await downloaded.text()).toBe("1,2\n");
});

test("skills are loaded with their version", async () => {
  const skill = await client.skills.create({
    files: [await toFile(Buffer.from("---\nname: one\ndescription: Two.\n---\n"), "one/SKILL.md")],
  });
  const message = await client.messages.create({
    ...params,
    container: {
      skills: [
        { type: "anthropic", skill_id: "xlsx" },
        { type: "custom", skill_id: skill.id, version: "latest" },
      ],
    },
  });
  expect(message.container?.skills).toEqual([
    { type: "anthropic", skill_id: "xlsx", version: expect.stringMatching(/^skver_/) },
    { type: "custom", skill_id: skill.id, version: skill.latest_version_id },
  ]);
});

test.each<[string, Partial<Params>, number]>([
  ["an unknown container", { container: "container_unknown" }, 404],
  [
    "an unknown skill",
    { container: { skills: [{ type: "custom", skill_id: "skill_unknown" }] } },
    404,
  ],
  [
    "a skill of Anthropic as a custom one",
    { container: { skills: [{ type: "custom", skill_id: "xlsx" }] } },
    404,
  ],
  [
    "skills without code execution",
    { tools: [], container: { skills: [{ type: "anthropic", skill_id: "xlsx" }] } },
    400,
  ],
  [
    "an unknown file",
    {
      messages: [
        { role: "user", content: [{ type: "container_upload", file_id: "file_unknown" }] },
      ],
    },
    404,
  ],
])("a request with %s is refused", async (_, more, status) => {
  await expect(client.messages.create({ ...params, ...more })).rejects.toMatchObject({ status });
});

test("an expired container is not found", async () => {
  const { container } = await client.messages.create(params);
  nowMs += 3_600_000;
  const later = client.messages.create({ ...params, container: container?.id ?? "" });
  await expect(later).rejects.toMatchObject({ status: 404 });
});
