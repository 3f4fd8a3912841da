import { readFile } from "node:fs/promises";
import { join } from "node:path";
import Anthropic, { NotFoundError } from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { expect } from "vitest";
import {
  findAdminAnswer,
  listOperations,
  listServedOperations,
} from "#test/harness/admin-operations.ts";
import { listSdkOperations, makeOperationRuns } from "#test/harness/claude-operations.ts";
import { test as base } from "#test/harness/product-test.ts";

// docs/guides/compatibility.md states what the official SDK can do here. Each line about a call comes from the call itself.

const GUIDE = join(import.meta.dirname, "../../docs/guides/compatibility.md");
const REFRESH = "npx vitest run server/test/compatibility-guide.test.ts --update";
const RUN_MS = 180_000;

const agents = "Agents that Anthropic runs, with their sessions, machines and secrets.";
/** Resources of the SDK that this server refuses, with the reason. */
const refused: Readonly<Record<string, string>> = {
  userProfiles: "Profiles at Anthropic of the users of one account.",
  "beta.userProfiles": "Profiles at Anthropic of the users of one account.",
  "beta.agents": agents,
  "beta.environments": agents,
  "beta.sessions": agents,
  "beta.deployments": agents,
  "beta.deploymentRuns": agents,
  "beta.vaults": agents,
  "beta.memoryStores": agents,
  "beta.dreams": agents,
  "beta.webhooks":
    "Signatures of Anthropic's webhooks are checked in the client. No request is sent.",
  "beta.tunnels": "Tunnels from Anthropic into a network.",
  "beta.compliance":
    "The activity feed of an account at Anthropic. The audit log has the events here.",
};
/** Resources whose methods send no request. */
const isLocal = (name: string) => name === "beta.webhooks";

const test = base.extend("client", { scope: "file" }, async ({ server }) => {
  const { key: apiKey } = await server.workspaceWithKey({ name: "Compatibility" });
  return new Anthropic({ apiKey, baseURL: server.url, maxRetries: 0 });
});

type Method = (...args: unknown[]) => PromiseLike<unknown>;

function findOwner(client: object, names: readonly string[]): object {
  return names.reduce<object>((owner, name) => Reflect.get(owner, name) as object, client);
}

/** Resources of the SDK besides messages, files, skills, models and the organization. */
function listOtherResources(client: Anthropic): string[] {
  const served = new Set(["messages", "files", "skills", "models", "organization", "beta"]);
  return [client, client.beta].flatMap((part) =>
    Object.entries(part)
      .filter(([name, value]) => {
        const isResource = typeof value === "object" && value !== null && "_client" in value;
        return isResource && !name.startsWith("_") && !served.has(name);
      })
      .map(([name]) => (part === client ? name : `beta.${name}`)),
  );
}

async function findFailures(client: Anthropic): Promise<string[]> {
  const runs = makeOperationRuns(client);
  const results = await Promise.all(
    listSdkOperations(client).map(async (name) => {
      const run = runs[name];
      if (run === undefined) return `${name}: no run`;
      return run().then(
        () => null,
        (error: unknown) => `${name}: ${String(error)}`,
      );
    }),
  );
  return results.filter((failure) => failure !== null);
}

/** A row for each operation, with the two namespaces of the SDK. */
function renderOperations(client: Anthropic): string {
  const names = listSdkOperations(client);
  const all = new Set(names.map((name) => name.replace(/^beta[.]/, "")));
  const mark = (name: string) => (names.includes(name) ? "passed" : "–");
  const rows = [...all].map((name) => `| \`${name}\` | ${mark(name)} | ${mark(`beta.${name}`)} |`);
  return ["| operation | `client` | `client.beta` |", "|---|---|---|", ...rows].join("\n");
}

function renderRefused(client: Anthropic): string {
  const rows = Object.entries(refused).map(([name, reason]) => {
    const count = listOperations(findOwner(client, name.split("."))).length;
    return `| \`${name}\` | ${count} | ${reason} |`;
  });
  return ["| resource | operations | reason |", "|---|---|---|", ...rows].join("\n");
}

async function renderOrganization(client: Anthropic): Promise<string> {
  const counts = new Map<string, number>();
  const stable = listOperations(client.organization);
  for (const operation of stable) {
    const answer = findAdminAnswer(operation);
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  const isAdded = (name: string) => !stable.includes(name);
  const added = listOperations(client.beta.organization).filter(isAdded);
  const served = (await listServedOperations((of) => of.beta.organization)).filter(isAdded);
  const names = served.map((name) => `\`${name}\``).join(", ");
  const rows = [...counts].map(([answer, count]) => `| ${answer} | ${count} |`);
  return [
    "| answer | operations |",
    "|---|---|",
    ...rows,
    `| served in \`client.beta.organization\` besides: ${names} | ${served.length} |`,
    `| refused there besides: resources of Claude Enterprise or of Anthropic | ${added.length - served.length} |`,
  ].join("\n");
}

function replaceTable(guide: string, name: string, table: string): string {
  const place = new RegExp(`<!-- ${name} -->\\n[\\s\\S]*?<!-- end -->`);
  expect(guide).toMatch(place);
  return guide.replace(place, `<!-- ${name} -->\n${table}\n<!-- end -->`);
}

test("each operation on messages, batches, files, skills and models passes", {
  timeout: RUN_MS,
}, async ({ client }) => {
  expect(listSdkOperations(client)).toHaveLength(53);
  expect(await findFailures(client)).toEqual([]);
});

test("the reasons of the Admin API fit its routes", async ({ client }) => {
  const served = listOperations(client.organization).filter(
    (name) => findAdminAnswer(name) === "served",
  );
  expect(await listServedOperations((of) => of.organization)).toEqual(served);
});

test("the guide names each other resource of the SDK", ({ client }) => {
  expect(Object.keys(refused).sort()).toEqual(listOtherResources(client).sort());
});

test.for(Object.keys(refused).filter((name) => !isLocal(name)))(
  "%s is refused as unknown",
  async (name, { client }) => {
    const owner = findOwner(client, name.split("."));
    const operations = listOperations(owner);
    const operation = operations.find((each) => /(?:^|[.])list$/.test(each)) ?? operations[0] ?? "";
    const names = operation.split(".");
    const method = names.pop() ?? "";
    const resource = findOwner(owner, names);
    const call = async () => await (Reflect.get(resource, method) as Method).call(resource, {});
    await expect(call()).rejects.toBeInstanceOf(NotFoundError);
  },
);

test("the OpenAI SDK completes, streams and lists models", async ({ client, server }) => {
  const openai = new OpenAI({ apiKey: client.apiKey ?? "", baseURL: `${server.url}/v1` });
  const request = {
    model: "claude-sonnet-5",
    messages: [{ role: "user" as const, content: "Hello, Claude" }],
  };
  const completion = await openai.chat.completions.create(request);
  expect(completion.choices[0]?.message.content).toMatch(/\w/);
  const stream = openai.chat.completions.stream(request);
  expect((await stream.finalChatCompletion()).choices[0]?.finish_reason).toBe("stop");
  const models = await openai.models.list();
  expect(models.data.map(({ id }) => id)).toContain("claude-sonnet-5");
});

test(`the guide has the tables of this run (refresh it: ${REFRESH})`, async ({ client }) => {
  const guide = (await readFile(GUIDE, "utf8")).replaceAll("\r\n", "\n");
  const tables: Readonly<Record<string, string>> = {
    operations: renderOperations(client),
    refused: renderRefused(client),
    organization: await renderOrganization(client),
  };
  const current = Object.entries(tables).reduce(
    (text, [name, table]) => replaceTable(text, name, table),
    guide,
  );
  await expect(current).toMatchFileSnapshot(GUIDE);
});
