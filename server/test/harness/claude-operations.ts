import Anthropic, { toFile } from "@anthropic-ai/sdk";
import { betaZodTool } from "@anthropic-ai/sdk/helpers/beta/zod";
import { expect } from "vitest";
import { z } from "zod";
import { eventually } from "./eventually.ts";

// Each operation of the official SDK on messages, batches, files, skills and models, called once with a check of its
// result. The server behind the client answers with the simulator.

export type OperationRun = () => Promise<void>;

interface Identified {
  id: string;
}
interface Batch extends Identified {
  processing_status: string;
  results_url: string | null;
  request_counts: { succeeded: number; canceled: number };
}
interface Question {
  model: string;
  max_tokens: number;
  messages: { role: "user"; content: string }[];
}
interface Answer extends Identified {
  type: "message";
  content: { type: string }[];
  usage: { input_tokens: number; output_tokens: number; service_tier: string | null };
}
interface Files {
  file: Awaited<ReturnType<typeof toFile>>;
}
interface Skill {
  files: Awaited<ReturnType<typeof toFile>>[];
}
interface ResultLine {
  custom_id: string;
  result: { type: string };
}

/** Calls that the stable and the beta part of the client share. */
interface Surface {
  messages: {
    create(params: Question): PromiseLike<Answer>;
    parse(params: Question): PromiseLike<Answer>;
    stream(params: Question): { finalMessage(): Promise<Answer> };
    countTokens(params: Omit<Question, "max_tokens">): PromiseLike<{ input_tokens: number }>;
    batches: {
      create(params: { requests: { custom_id: string; params: Question }[] }): PromiseLike<Batch>;
      retrieve(id: string): PromiseLike<Batch>;
      list(params: { limit: number }): AsyncIterable<Identified>;
      cancel(id: string): PromiseLike<Batch>;
      delete(id: string): PromiseLike<Identified & { type: string }>;
      results(id: string): PromiseLike<AsyncIterable<ResultLine>>;
    };
  };
  files: {
    upload(params: Files): PromiseLike<Identified & { filename: string; size_bytes: number }>;
    list(params: { limit: number }): AsyncIterable<Identified>;
    retrieveMetadata(id: string): PromiseLike<Identified>;
    download(id: string): PromiseLike<Response>;
    delete(id: string): PromiseLike<Identified & { type?: string }>;
  };
  skills: {
    create(params: Skill): PromiseLike<Identified & { latest_version_id: string }>;
    retrieve(id: string): PromiseLike<Identified & { display_name: string }>;
    list(params: { limit: number }): AsyncIterable<Identified>;
    delete(id: string): PromiseLike<Identified & { type: string }>;
    versions: {
      create(id: string, params: Skill): PromiseLike<Identified>;
      retrieve(id: string, params: { skill_id: string }): PromiseLike<Identified>;
      list(id: string, params: { limit: number }): AsyncIterable<Identified>;
      delete(id: string, params: { skill_id: string }): PromiseLike<Identified & { type: string }>;
    };
  };
  models: {
    retrieve(id: string): PromiseLike<Identified>;
    list(params: { limit: number }): AsyncIterable<Identified>;
  };
}

const BATCH_END_MS = 30_000;
const skillName = "count-words";
const question: Question = {
  model: "claude-sonnet-5",
  max_tokens: 200,
  messages: [{ role: "user", content: "Hello, Claude" }],
};

/** One run for each operation, by its name such as `beta.files.upload`. */
export function makeOperationRuns(client: Anthropic): Record<string, OperationRun> {
  return {
    ...makeSurfaceRuns(client, ""),
    ...makeSurfaceRuns(client.beta, "beta."),
    "beta.messages.toolRunner": () => runTools(client),
    "beta.messages.thread": () => runThread(client),
    "beta.skills.versions.download": async () => {
      const skill = await createSkill(client);
      const params = { skill_id: skill.id };
      const response = await client.beta.skills.versions.download(skill.latest_version_id, params);
      expect(Buffer.from(await response.arrayBuffer()).toString("latin1")).toContain("SKILL.md");
    },
  };
}

/** Names of all operations that the SDK has on these resources. */
export function listSdkOperations(client: Anthropic): string[] {
  return [client, client.beta].flatMap((part) =>
    (["messages", "files", "skills", "models"] as const).flatMap((name) =>
      listOperations(part[name], `${part === client ? "" : "beta."}${name}.`),
    ),
  );
}

function listOperations(resource: object, prefix: string): string[] {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(resource));
  const nested = Object.entries(resource).filter(([name]) => name !== "_client");
  return [
    ...names
      .filter((name) => name !== "constructor" && !name.startsWith("_"))
      .map((name) => prefix + name),
    ...nested.flatMap(([name, value]) => listOperations(value as object, `${prefix}${name}.`)),
  ];
}

function makeSurfaceRuns(surface: Surface, prefix: string): Record<string, OperationRun> {
  const runs = {
    ...makeMessageRuns(surface),
    ...makeBatchRuns(surface),
    ...makeFileRuns(surface),
    ...makeSkillRuns(surface),
    ...makeModelRuns(surface),
  };
  return Object.fromEntries(Object.entries(runs).map(([name, run]) => [prefix + name, run]));
}

function makeMessageRuns({ messages }: Surface): Record<string, OperationRun> {
  const expectAnswer = (answer: Answer) => {
    expect(answer).toMatchObject({ type: "message", content: [{ type: "text" }] });
    expect(answer.usage.output_tokens).toBeGreaterThan(0);
  };
  return {
    "messages.create": async () => expectAnswer(await messages.create(question)),
    "messages.parse": async () => expectAnswer(await messages.parse(question)),
    "messages.stream": async () => expectAnswer(await messages.stream(question).finalMessage()),
    "messages.countTokens": async () => {
      const { max_tokens: _, ...counted } = question;
      const { usage } = await messages.create(question);
      expect((await messages.countTokens(counted)).input_tokens).toBe(usage.input_tokens);
    },
  };
}

function makeBatchRuns({ messages: { batches } }: Surface): Record<string, OperationRun> {
  const create = (model = question.model) =>
    batches.create({
      requests: ["one", "two"].map((custom_id) => ({ custom_id, params: { ...question, model } })),
    });
  const createEnded = async () => {
    const { id } = await create();
    return await waitForEnd(batches, id);
  };
  return {
    "messages.batches.create": async () => {
      expect(await create()).toMatchObject({ type: "message_batch", results_url: null });
    },
    "messages.batches.retrieve": async () => {
      const ended = await createEnded();
      expect(ended.request_counts.succeeded).toBe(2);
      expect(ended.results_url).toContain(ended.id);
    },
    "messages.batches.list": async () => {
      const { id } = await create();
      expect(await listIds(batches.list({ limit: 2 }))).toContain(id);
    },
    "messages.batches.results": async () => {
      const { id } = await createEnded();
      const lines = [];
      for await (const line of await batches.results(id)) lines.push(line);
      expect(lines.map(({ custom_id }) => custom_id).sort()).toEqual(["one", "two"]);
      expect(lines[0]).toMatchObject({
        result: { type: "succeeded", message: { usage: { service_tier: "batch" } } },
      });
    },
    "messages.batches.cancel": async () => {
      const { id } = await create("simulate-hang");
      expect((await batches.cancel(id)).processing_status).toBe("canceling");
      expect((await waitForEnd(batches, id)).request_counts.canceled).toBe(2);
    },
    "messages.batches.delete": async () => {
      const { id } = await createEnded();
      // A server may meter the results of an ended batch first.
      const deleted = await eventually(BATCH_END_MS, "the batch can be deleted", async () =>
        batches.delete(id).then(
          (answer) => answer,
          (error: unknown) => {
            if (error instanceof Anthropic.ConflictError) return null;
            throw error;
          },
        ),
      );
      expect(deleted).toEqual({ id, type: "message_batch_deleted" });
    },
  };
}

function waitForEnd(batches: Surface["messages"]["batches"], id: string): Promise<Batch> {
  return eventually(BATCH_END_MS, "the batch ends", async () => {
    const batch = await batches.retrieve(id);
    return batch.processing_status === "ended" ? batch : null;
  });
}

function makeFileRuns({ files }: Surface): Record<string, OperationRun> {
  const upload = async () =>
    files.upload({ file: await toFile(Buffer.from("a,b\n"), "downloadable.csv") });
  return {
    "files.upload": async () => {
      expect(await upload()).toMatchObject({ filename: "downloadable.csv", size_bytes: 4 });
    },
    "files.list": async () => {
      const { id } = await upload();
      expect(await listIds(files.list({ limit: 2 }))).toContain(id);
    },
    "files.retrieveMetadata": async () => {
      const { id } = await upload();
      expect(await files.retrieveMetadata(id)).toMatchObject({ id, type: "file" });
    },
    "files.download": async () => {
      const { id } = await upload();
      expect(await (await files.download(id)).text()).toBe("a,b\n");
    },
    "files.delete": async () => {
      const { id } = await upload();
      expect(await files.delete(id)).toEqual({ id, type: "file_deleted" });
      await expect(files.retrieveMetadata(id)).rejects.toThrow(Anthropic.NotFoundError);
    },
  };
}

async function makeSkillFiles(): Promise<Skill> {
  const text = `---\nname: ${skillName}\ndescription: Counts words.\n---\n`;
  return { files: [await toFile(Buffer.from(text), `${skillName}/SKILL.md`)] };
}

async function createSkill(surface: Surface) {
  return surface.skills.create(await makeSkillFiles());
}

function makeSkillRuns(surface: Surface): Record<string, OperationRun> {
  const { skills } = surface;
  const create = () => createSkill(surface);
  return {
    "skills.create": async () => {
      expect(await create()).toMatchObject({ type: "skill", source: { type: "custom" } });
    },
    "skills.retrieve": async () => {
      const { id } = await create();
      expect(await skills.retrieve(id)).toMatchObject({ id, display_name: skillName });
    },
    "skills.list": async () => {
      const { id } = await create();
      expect(await listIds(skills.list({ limit: 2 }))).toContain(id);
    },
    "skills.delete": async () => {
      const { id } = await create();
      expect(await skills.delete(id)).toEqual({ id, type: "skill_deleted" });
      await expect(skills.retrieve(id)).rejects.toThrow(Anthropic.NotFoundError);
    },
    "skills.versions.create": async () => {
      const { id } = await create();
      const version = await skills.versions.create(id, await makeSkillFiles());
      expect(version).toMatchObject({ type: "skill_version", skill_id: id, name: skillName });
    },
    "skills.versions.retrieve": async () => {
      const { id, latest_version_id: version } = await create();
      const found = await skills.versions.retrieve(version, { skill_id: id });
      expect(found).toMatchObject({ id: version, description: "Counts words." });
    },
    "skills.versions.list": async () => {
      const { id, latest_version_id: version } = await create();
      expect(await listIds(skills.versions.list(id, { limit: 2 }))).toContain(version);
    },
    "skills.versions.delete": async () => {
      const { id, latest_version_id: version } = await create();
      await skills.versions.create(id, await makeSkillFiles());
      const deleted = await skills.versions.delete(version, { skill_id: id });
      expect(deleted).toEqual({ id: version, type: "skill_version_deleted" });
    },
  };
}

function makeModelRuns({ models }: Surface): Record<string, OperationRun> {
  return {
    "models.list": async () => {
      const ids = await listIds(models.list({ limit: 5 }));
      expect(ids.length).toBeGreaterThan(15);
    },
    "models.retrieve": async () => {
      expect(await models.retrieve("claude-sonnet-5")).toMatchObject({ id: "claude-sonnet-5" });
    },
  };
}

/** Reads all pages. */
async function listIds(list: AsyncIterable<Identified>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of list) ids.push(id);
  return ids;
}

async function runTools(client: Anthropic): Promise<void> {
  const cities: string[] = [];
  const getWeather = betaZodTool({
    name: "get_weather",
    description: "Returns the weather of a city.",
    inputSchema: z.object({ city: z.string() }),
    run: ({ city }) => {
      cities.push(city);
      return `sunny in ${city}`;
    },
  });
  const final = await client.beta.messages.toolRunner({
    ...question,
    messages: [{ role: "user", content: "Use get_weather." }],
    tools: [getWeather],
  });
  expect(cities).toEqual(["sample city"]);
  expect(JSON.stringify(final.content)).toContain("sunny in sample city");
}

async function runThread(client: Anthropic): Promise<void> {
  const { messages: _, ...params } = question;
  const thread = client.beta.messages.thread(params);
  const first = await thread.send({ role: "user", content: "Hello" });
  expect(thread.previousMessageId).toBe(first.id);
  const second = await thread.send({ role: "user", content: "How are you?" });
  expect(second.usage.input_tokens).toBeGreaterThan(first.usage.input_tokens);
}
