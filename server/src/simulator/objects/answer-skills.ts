import { createReadStream } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { zipSync } from "fflate";
import { newId } from "#src/lib/ids.ts";
import { type Exchange, type SimulatorDeps, sendObject } from "../exchange.ts";
import { SimulatedError } from "../simulated-error.ts";
import { selectByCursor } from "./list-pages.ts";
import type { SkillRecord, SkillStore, SkillVersionRecord } from "./object-stores.ts";
import { readSkillForm, type SkillFile, type UploadedSkill } from "./read-skill-form.ts";
import type { Skill, SkillVersion } from "./wire-objects.ts";

const MAX_VERSIONS = 1_000;
/** The first date of the ZIP format. The same files always have the same archive. */
const ARCHIVE_DATE = new Date(1980, 0, 1);

/** Skills that Anthropic publishes. They exist for everyone, and cannot be changed. */
const publishedSkills: readonly SkillRecord[] = ["docx", "pdf", "pptx", "xlsx"].map((name) => ({
  id: name,
  displayName: name.toUpperCase(),
  name,
  createdMs: Date.parse("2025-10-16T00:00:00Z"),
  versions: [
    {
      id: `skver_published${name}`,
      createdMs: Date.parse("2025-10-16T00:00:00Z"),
      description: `Works with ${name} files.`,
    },
  ],
}));

/** `POST /v1/skills`. */
export async function answerSkillCreation(deps: SimulatorDeps, exchange: Exchange): Promise<void> {
  const form = await readSkillForm(exchange.request);
  const nowMs = deps.clock.nowMs();
  const skill: SkillRecord = {
    id: newId("skill_", nowMs),
    displayName: form.displayName ?? form.name,
    name: form.name,
    createdMs: nowMs,
    versions: [],
  };
  sendObject(exchange, toWireSkill(await addVersion(deps, skill, form)));
}

/** `GET /v1/skills`. */
export async function answerSkills({ skills }: SimulatorDeps, exchange: Exchange): Promise<void> {
  const query = exchange.url.searchParams;
  const source = query.get("source");
  const own = source === "anthropic" ? [] : await skills.listIds();
  const published = source === "custom" ? [] : publishedSkills.map(({ id }) => id);
  const { ids, nextPage } = selectByCursor([...own, ...published], query, "skill_");
  const found = await Promise.all(ids.map((id) => findSkill(skills, id)));
  const data = found.filter((skill) => skill !== null).map(toWireSkill);
  sendObject(exchange, { data, next_page: nextPage });
}

/** `GET /v1/skills/{id}`. */
export async function answerSkill(
  { skills }: SimulatorDeps,
  exchange: Exchange,
  id: string,
): Promise<void> {
  sendObject(exchange, toWireSkill(await getSkill(skills, id)));
}

/** `DELETE /v1/skills/{id}`. */
export async function answerSkillDeletion(
  { skills }: SimulatorDeps,
  exchange: Exchange,
  id: string,
): Promise<void> {
  await getOwnSkill(skills, id);
  await skills.remove(id);
  sendObject(exchange, { id, type: "skill_deleted" });
}

/** `POST /v1/skills/{id}/versions`. */
export async function answerVersionCreation(
  deps: SimulatorDeps,
  exchange: Exchange,
  id: string,
): Promise<void> {
  const skill = await getOwnSkill(deps.skills, id);
  const form = await readSkillForm(exchange.request);
  if (form.name !== skill.name) {
    throw new SimulatedError(400, `files: the skill's name is ${skill.name}, not ${form.name}`);
  }
  if (skill.versions.length >= MAX_VERSIONS) {
    throw new SimulatedError(400, `A skill has at most ${MAX_VERSIONS} versions.`);
  }
  const added = await addVersion(deps, skill, form);
  sendObject(exchange, toWireVersion(added, getNewest(added)));
}

/** `GET /v1/skills/{id}/versions`. */
export async function answerVersions(
  { skills }: SimulatorDeps,
  exchange: Exchange,
  id: string,
): Promise<void> {
  const skill = await getSkill(skills, id);
  const newestFirst = skill.versions.map((version) => version.id).reverse();
  const { ids, nextPage } = selectByCursor(newestFirst, exchange.url.searchParams, "skver_");
  const data = ids.map((versionId) => toWireVersion(skill, getVersion(skill, versionId)));
  sendObject(exchange, { data, next_page: nextPage });
}

/** `GET /v1/skills/{id}/versions/{version}`. */
export async function answerVersion(
  { skills }: SimulatorDeps,
  exchange: Exchange,
  id: string,
  versionId: string,
): Promise<void> {
  const skill = await getSkill(skills, id);
  sendObject(exchange, toWireVersion(skill, getVersion(skill, versionId)));
}

/** `DELETE /v1/skills/{id}/versions/{version}`. */
export async function answerVersionDeletion(
  { skills }: SimulatorDeps,
  exchange: Exchange,
  id: string,
  versionId: string,
): Promise<void> {
  const skill = await getOwnSkill(skills, id);
  const version = getVersion(skill, versionId);
  if (skill.versions.length === 1) {
    throw new SimulatedError(400, "A skill has at least one version. Delete the skill instead.");
  }
  const versions = skill.versions.filter((each) => each !== version);
  await skills.put({ ...skill, versions });
  await rm(await skills.pathFor(id, archiveSuffix(version.id)), { force: true });
  sendObject(exchange, { id: version.id, type: "skill_version_deleted" });
}

/** `GET /v1/skills/{id}/versions/{version}/content`. */
export async function answerVersionContent(
  { skills }: SimulatorDeps,
  exchange: Exchange,
  id: string,
  versionId: string,
): Promise<void> {
  const skill = await getOwnSkill(skills, id);
  const version = getVersion(skill, versionId);
  const archive = createReadStream(await skills.pathFor(id, archiveSuffix(version.id)));
  exchange.response.writeHead(200, {
    ...exchange.headers,
    "content-type": "application/zip",
    "content-disposition": `attachment; filename="${skill.name}.zip"`,
  });
  await pipeline(archive, exchange.response);
}

/** Finds the version that a message names. Throws SimulatedError(404) for a missing skill or version. */
export async function resolveSkillVersion(
  skills: SkillStore,
  type: unknown,
  id: string,
  version: string,
): Promise<string> {
  const skill = await getSkill(skills, id);
  if ((type === "anthropic") !== isPublished(skill)) throw missing(id);
  return version === "latest" ? getNewest(skill).id : getVersion(skill, version).id;
}

async function addVersion(
  { skills, clock }: SimulatorDeps,
  skill: SkillRecord,
  form: UploadedSkill,
): Promise<SkillRecord> {
  const nowMs = clock.nowMs();
  const version = { id: newId("skver_", nowMs), createdMs: nowMs, description: form.description };
  const archive = makeArchive(form.files);
  await writeFile(await skills.pathFor(skill.id, archiveSuffix(version.id)), archive);
  const added = { ...skill, versions: [...skill.versions, version] };
  await skills.put(added);
  return added;
}

function archiveSuffix(versionId: string): string {
  return `${versionId}.zip`;
}

async function findSkill(skills: SkillStore, id: string): Promise<SkillRecord | null> {
  return publishedSkills.find((skill) => skill.id === id) ?? (await skills.find(id));
}

async function getSkill(skills: SkillStore, id: string): Promise<SkillRecord> {
  const skill = await findSkill(skills, id);
  if (skill === null) throw missing(id);
  return skill;
}

/** Throws SimulatedError: 404 for a missing skill, 403 for one that Anthropic publishes. */
async function getOwnSkill(skills: SkillStore, id: string): Promise<SkillRecord> {
  const skill = await getSkill(skills, id);
  if (isPublished(skill)) throw new SimulatedError(403, "Skills of Anthropic are read-only.");
  return skill;
}

function getVersion(skill: SkillRecord, id: string): SkillVersionRecord {
  const version = skill.versions.find((each) => each.id === id);
  if (version === undefined) throw new SimulatedError(404, `Skill version not found: ${id}`);
  return version;
}

function getNewest(skill: SkillRecord): SkillVersionRecord {
  const newest = skill.versions.at(-1);
  if (newest === undefined) throw missing(skill.id);
  return newest;
}

function isPublished(skill: SkillRecord): boolean {
  return publishedSkills.includes(skill);
}

function missing(id: string): SimulatedError {
  return new SimulatedError(404, `Skill not found: ${id}`);
}

function toWireSkill(skill: SkillRecord): Skill {
  const newest = getNewest(skill);
  return {
    id: skill.id,
    type: "skill",
    display_name: skill.displayName,
    latest_version_id: newest.id,
    source: { type: isPublished(skill) ? "anthropic" : "custom" },
    created_at: new Date(skill.createdMs).toISOString(),
    updated_at: new Date(newest.createdMs).toISOString(),
  };
}

function toWireVersion(skill: SkillRecord, version: SkillVersionRecord): SkillVersion {
  return {
    id: version.id,
    type: "skill_version",
    skill_id: skill.id,
    name: skill.name,
    description: version.description,
    created_at: new Date(version.createdMs).toISOString(),
  };
}

function makeArchive(files: readonly SkillFile[]): Uint8Array {
  const contents = Object.fromEntries(files.map(({ path, content }) => [path, content]));
  return zipSync(contents, { level: 0, mtime: ARCHIVE_DATE });
}
