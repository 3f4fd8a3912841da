import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import AnthropicBedrock from "@anthropic-ai/bedrock-sdk";
import { AnthropicFoundry } from "@anthropic-ai/foundry-sdk";
import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, expect } from "vitest";
import { runBursar } from "#test/harness/command-line.ts";
import { eventually } from "#test/harness/eventually.ts";
import { awsKey, foundryAccount, test, toAwsCredential } from "#test/harness/platform-test.ts";
import {
  findKeyFault,
  type MessagesPlatform,
  startMessagesPlatform,
} from "#test/harness/platforms/messages-platform.ts";
import { openVertexSdk } from "#test/harness/platforms/open-vertex-sdk.ts";
import { startVertexPlatform } from "#test/harness/platforms/vertex-platform.ts";
import {
  root,
  type ServerProcess,
  serverEnvironment,
  startServer,
  stopAllServers,
  temporaryFolder,
} from "#test/harness/server-process.ts";

// Upstreams on cloud platforms in the whole product: stored by the commands of the guides, used by official clients.

const UPSTREAMS = "/v1/admin/upstreams";
const CHANGE_MS = 30_000;
const TEXT = "word 0 word 1 word 2 ";

let server: ServerProcess;
let key: string;

beforeAll(async () => {
  server = await startServer({
    args: [],
    env: {
      BURSAR_ALLOW_PRIVATE_UPSTREAMS: "127.0.0.1",
      BURSAR_ALLOW_MACHINE_CREDENTIALS: "on",
      AWS_ACCESS_KEY_ID: awsKey.id,
      AWS_SECRET_ACCESS_KEY: awsKey.secret,
      GOOGLE_APPLICATION_CREDENTIALS: "/no/such/file.json",
    },
  });
  ({ key } = await server.workspaceWithKey());
}, 90_000);
afterAll(stopAllServers);

const request = {
  model: "claude-opus-5-5",
  max_tokens: 100,
  messages: [{ role: "user" as const, content: "Hello" }],
};

/** Reads the commands of `./bursar` in the blocks of a guide, as lists of words. */
async function readCommands(guide: string): Promise<string[][]> {
  const text = await readFile(join(root, "docs/guides", `${guide}.md`), "utf8");
  const blocks = [...text.matchAll(/```sh\n([^`]*)```/g)].map(([, block = ""]) => block);
  return blocks
    .map((block) => block.replaceAll("\\\n", " ").trim())
    .filter((block) => block.startsWith("./bursar "))
    .map((block) => splitWords(block).slice(1));
}

function splitWords(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
}

/** Runs the commands of a guide for an upstream and a price, with the address and the credential of a test. */
async function followGuide(
  guide: string,
  { origin, credential }: { origin: string; credential: string },
): Promise<void> {
  await deleteAll();
  const file = join(await temporaryFolder(), "credential");
  await writeFile(file, credential);
  const commands = await readCommands(guide);
  expect(commands.map((words) => words.slice(0, 2).join(" "))).toEqual([
    "upstreams create",
    "model-prices create",
  ]);
  for (const words of commands) {
    const isUpstream = words[0] === "upstreams";
    const at = words.indexOf("--credential-file");
    const args = isUpstream ? [...words.with(at + 1, file), "--base-url", origin] : words;
    const ran = await runBursar(args, { env: serverEnvironment(server.dataDir) });
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
  }
}

async function deleteAll(): Promise<void> {
  const { data } = (await server.mustOperator("GET", UPSTREAMS)) as { data: { id: string }[] };
  for (const { id } of data) await server.mustOperator("DELETE", `${UPSTREAMS}/${id}`);
}

/** Sends messages until the platform has one. A change reaches the gateway with its next poll of the database. */
function sendUntilReceived(received: readonly object[]): Promise<string> {
  const client = new Anthropic({ baseURL: server.url, apiKey: key, maxRetries: 0 });
  return eventually(CHANGE_MS, "a message at the platform", async () => {
    const text = await client.messages.stream(request).finalText();
    return received.length > 0 ? text : null;
  });
}

async function expectWorkingTest(): Promise<void> {
  const { data } = (await server.mustOperator("GET", UPSTREAMS)) as { data: { id: string }[] };
  const tested = await server.mustOperator("POST", `${UPSTREAMS}/${data[0]?.id}/test`);
  expect(tested).toMatchObject({ is_working: true, http_status: 200 });
}

test("the guide for Amazon Bedrock serves clients of the Claude API, and clients in Bedrock mode", async ({
  bedrock,
}) => {
  await followGuide("amazon-bedrock", {
    origin: bedrock.origin,
    credential: toAwsCredential(awsKey),
  });
  expect(await sendUntilReceived(bedrock.requests)).toBe(TEXT);
  const inBedrockMode = new AnthropicBedrock({
    baseURL: `${server.url}/bedrock`,
    awsRegion: "eu-central-1",
    apiKey: key,
    maxRetries: 0,
  });
  const model = "us.anthropic.claude-opus-5-5";
  const stream = inBedrockMode.messages.stream({ ...request, model });
  expect(await stream.finalText()).toBe(TEXT);
  await expectWorkingTest();
  expect(bedrock.refused).toEqual([]);
  const messages = bedrock.requests.filter(({ action }) => action !== "count-tokens");
  expect(new Set(messages.map(({ modelId }) => modelId))).toEqual(
    new Set(["eu.anthropic.claude-opus-5-5"]),
  );
  const provider = "bedrock";
  await expectLacked({ provider, feature: "message_batches" }, ({ messages }) =>
    messages.batches.create({ requests: [{ custom_id: "a", params: request }] }),
  );
  await expectLacked({ provider, feature: "files" }, ({ files }) =>
    files.upload({ file: new File(["content"], "a.txt") }),
  );
  await expectLacked({ provider, feature: "skills" }, ({ skills }) => skills.list());
});

test("the guide for Google Vertex AI serves clients of the Claude API, and clients in Vertex mode", async ({
  onTestFinished,
}) => {
  const vertex = await startVertexPlatform({ project: "my-project", location: "global" });
  onTestFinished(() => vertex.close());
  await followGuide("google-vertex-ai", {
    origin: vertex.origin,
    credential: vertex.serviceAccount,
  });
  expect(await sendUntilReceived(vertex.requests)).toBe(TEXT);
  const client = openVertexSdk({ baseURL: `${server.url}/vertex/v1`, accessToken: key });
  expect(await client.messages.stream(request).finalText()).toBe(TEXT);
  await expectWorkingTest();
  expect(vertex.refused).toEqual([]);
});

test("the guide for Microsoft Foundry serves clients of the Claude API, and clients in Foundry mode", async ({
  onTestFinished,
}) => {
  const foundry = await startMessagesPlatform({
    deployments: ["opus"],
    findCredentialFault: (received) => findKeyFault(received, foundryAccount),
  });
  onTestFinished(() => foundry.close());
  await followGuide("microsoft-foundry", {
    origin: foundry.origin,
    credential: foundryAccount.apiKey,
  });
  expect(await sendUntilReceived(foundry.requests)).toBe(TEXT);
  const client = new AnthropicFoundry({ baseURL: server.url, apiKey: key, maxRetries: 0 });
  expect(await client.messages.stream(request).finalText()).toBe(TEXT);
  await expectWorkingTest();
  await expectFiles(foundry);
  await expectSkills(foundry);
  expect(foundry.refused).toEqual([]);
});

/** Stores a file on Foundry, names it in a message, and deletes it. Foundry has no batches. */
async function expectFiles(foundry: MessagesPlatform): Promise<void> {
  const client = new Anthropic({ baseURL: server.url, apiKey: key, maxRetries: 0 });
  const { id } = await client.files.upload({ file: new File(["content"], "a.txt") });
  expect([...foundry.objects.keys()]).toEqual([id]);
  expect(foundry.objects.get(id)?.toString()).toContain("content");
  expect((await client.files.list()).data).toMatchObject([{ id }]);
  expect(await client.files.retrieveMetadata(id)).toMatchObject({ id, type: "file" });
  const source = { type: "file" as const, file_id: id };
  const messages = [{ role: "user" as const, content: [{ type: "document" as const, source }] }];
  await client.messages.create({ ...request, messages });
  expect(JSON.stringify(foundry.requests.at(-1)?.body)).toContain(id);
  const { key: foreign } = await server.workspaceWithKey();
  const other = client.withOptions({ apiKey: foreign });
  await expect(other.files.retrieveMetadata(id)).rejects.toMatchObject({ status: 404 });
  await expect(other.messages.create({ ...request, messages })).rejects.toThrow(Anthropic.APIError);
  await client.files.delete(id);
  expect(foundry.objects.size).toBe(0);
  await expectLacked({ provider: "foundry", feature: "message_batches" }, (sdk) =>
    sdk.messages.batches.create({ requests: [{ custom_id: "a", params: request }] }),
  );
}

async function expectLacked(
  facts: { provider: string; feature: string },
  run: (client: Anthropic) => PromiseLike<unknown>,
): Promise<void> {
  const refused = run(new Anthropic({ baseURL: server.url, apiKey: key, maxRetries: 0 }));
  await expect(refused).rejects.toMatchObject({
    status: 400,
    error: { error: { details: { ...facts, error_code: "provider_unsupported" } } },
  });
}

/** Stores a skill on Foundry, names it in a message, and deletes it. */
async function expectSkills(foundry: MessagesPlatform): Promise<void> {
  const client = new Anthropic({ baseURL: server.url, apiKey: key, maxRetries: 0 });
  const text = "---\nname: my-skill\ndescription: A skill.\n---\n";
  const { id } = await client.skills.create({ files: [new File([text], "my-skill/SKILL.md")] });
  expect(foundry.objects.get(id)?.toString()).toContain(text);
  expect((await client.skills.list()).data).toMatchObject([{ id }, { id: "pdf" }]);
  expect(await client.skills.retrieve("pdf")).toMatchObject({ id: "pdf", source: "anthropic" });
  const skill = { type: "custom" as const, skill_id: id, version: "latest" };
  const named = { ...request, container: { skills: [skill] } };
  await client.messages.create(named);
  expect(foundry.requests.at(-1)?.body).toMatchObject({ container: named.container });
  const { key: foreign } = await server.workspaceWithKey();
  const other = client.withOptions({ apiKey: foreign });
  await expect(other.skills.retrieve(id)).rejects.toMatchObject({ status: 404 });
  await expect(other.messages.create(named)).rejects.toThrow(Anthropic.APIError);
  await client.skills.delete(id);
  expect(foundry.objects.size).toBe(0);
}

test("credentials of the machine sign messages, and an upstream without any passes them on", async ({
  bedrock,
  vertex,
}) => {
  await deleteAll();
  const machine = { authentication: "machine" };
  await server.mustOperator("POST", UPSTREAMS, {
    name: "Without a source",
    base_url: vertex.origin,
    provider_settings: {
      ...machine,
      provider: "vertex",
      region: "europe-west1",
      project_id: "test-project",
    },
  });
  await server.mustOperator("POST", UPSTREAMS, {
    name: "With a source",
    base_url: bedrock.origin,
    provider_settings: { ...machine, provider: "bedrock", region: "eu-central-1" },
  });
  const client = new Anthropic({ baseURL: server.url, apiKey: key, maxRetries: 0 });
  const text = await eventually(CHANGE_MS, "a message at Bedrock", async () => {
    try {
      const answered = await client.messages.stream(request).finalText();
      return bedrock.requests.length > 0 ? answered : null;
    } catch (error) {
      // The gateway can read the change between the two upstreams.
      if (error instanceof Anthropic.APIError && error.status === 502) return null;
      throw error;
    }
  });
  expect(text).toBe(TEXT);
  expect([bedrock.refused, vertex.requests]).toEqual([[], []]);
});
