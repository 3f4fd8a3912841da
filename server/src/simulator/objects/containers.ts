import { copyFile } from "node:fs/promises";
import { newId } from "#src/lib/ids.ts";
import type { SimulatorDeps } from "../exchange.ts";
import { listUploadedFileIds } from "../list-file-ids.ts";
import { SimulatedError } from "../simulated-error.ts";
import { asFields, blocksOf, refuse, type WireRequest } from "../wire-request.ts";
import { getUsableFile } from "./answer-files.ts";
import { resolveSkillVersion } from "./answer-skills.ts";
import type { Container, ContainerSkill } from "./wire-objects.ts";

// Containers of simulated code execution. No code runs.

const CONTAINER_LIFE_MS = 60 * 60_000;
const MAX_SKILLS = 8;
const MAX_OUTPUTS = 8;

/** Code execution of one response. */
export interface CodeRun {
  /** Name of the server tool in the response. */
  tool: "code_execution" | "bash_code_execution";
  container: Container;
  /** Ids of the files that the run generated. */
  outputIds: string[];
}

/** Finds the code execution tool of a request. Null: the request offers none. */
export function findCodeTool({ tools }: WireRequest): CodeRun["tool"] | null {
  const tool = blocksOf(tools).find(({ type }) => String(type).startsWith("code_execution_"));
  if (tool === undefined) return null;
  return tool.type === "code_execution_20250522" ? "code_execution" : "bash_code_execution";
}

/** Checks `container`. Throws SimulatedError: 404 for a missing container or skill, 400 for another fault. */
export async function checkContainer(deps: SimulatorDeps, request: WireRequest): Promise<void> {
  await readContainer(deps, request);
}

/**
 * Runs the code of a response, which copies the files that the request uploads to the container. Uses the named container,
 * or a new one.
 */
export async function runCode(
  deps: SimulatorDeps,
  request: WireRequest,
  tool: CodeRun["tool"],
): Promise<CodeRun> {
  const { containers, clock } = deps;
  const nowMs = clock.nowMs();
  const { existing, skills } = await readContainer(deps, request);
  const container: Container = {
    id: existing?.id ?? newId("container_", nowMs),
    expires_at: new Date(nowMs + CONTAINER_LIFE_MS).toISOString(),
    skills: skills ?? existing?.skills ?? null,
  };
  await containers.put(container);
  const outputIds: string[] = [];
  for (const id of [...listUploadedFileIds(request)].slice(0, MAX_OUTPUTS)) {
    outputIds.push(await copyToOutput(deps, id, nowMs));
  }
  return { tool, container, outputIds };
}

/** Generates a file with the bytes of an uploaded one. Generated files can be downloaded. */
async function copyToOutput(
  { files }: SimulatorDeps,
  fileId: string,
  nowMs: number,
): Promise<string> {
  const file = await getUsableFile(files, fileId, nowMs);
  const id = newId("file_", nowMs);
  await copyFile(await files.pathFor(fileId, "bin"), await files.pathFor(id, "bin"));
  const created_at = new Date(nowMs).toISOString();
  await files.put({ ...file, id, created_at, expires_at: null, downloadable: true });
  return id;
}

interface NamedContainer {
  /** Null: the request names no container. */
  existing: Container | null;
  /** Null: the request names no skills. */
  skills: ContainerSkill[] | null;
}

async function readContainer(deps: SimulatorDeps, request: WireRequest): Promise<NamedContainer> {
  const { container } = request;
  if (container == null) return { existing: null, skills: null };
  const fields = asFields(container);
  const id = fields === null ? container : fields.id;
  if (id != null && typeof id !== "string")
    throw refuse("container: Input should be a valid string");
  const existing = id == null ? null : await getContainer(deps, id);
  const named = blocksOf(fields?.skills);
  if (named.length === 0) return { existing, skills: null };
  if (findCodeTool(request) === null) {
    throw refuse("container.skills: requires a code execution tool");
  }
  if (named.length > MAX_SKILLS) throw refuse(`container.skills: at most ${MAX_SKILLS} skills`);
  const skills: ContainerSkill[] = [];
  for (const { type, skill_id: skillId, version = "latest" } of named) {
    if (type !== "anthropic" && type !== "custom") {
      throw refuse("container.skills.type: Input should be 'anthropic' or 'custom'");
    }
    const resolved = await resolveSkillVersion(deps.skills, type, String(skillId), String(version));
    skills.push({ type, skill_id: String(skillId), version: resolved });
  }
  return { existing, skills };
}

async function getContainer({ containers, clock }: SimulatorDeps, id: string): Promise<Container> {
  const container = await containers.find(id);
  if (container === null) throw new SimulatedError(404, `Container not found: ${id}`);
  if (Date.parse(container.expires_at) > clock.nowMs()) return container;
  throw new SimulatedError(404, `Container expired: ${id}`);
}
