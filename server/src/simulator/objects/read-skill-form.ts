import { SimulatedError } from "../simulated-error.ts";
import { type FormSource, readAll, readParts } from "./read-multipart.ts";

/** One file of a skill, with its path below the top-level directory included. */
export interface SkillFile {
  path: string;
  content: Buffer;
}

/** An upload of a skill or of a version. */
export interface UploadedSkill {
  /** Null: the upload has none. */
  displayName: string | null;
  /** Slug, from the head of SKILL.md or the directory. */
  name: string;
  description: string;
  files: SkillFile[];
}

/** Official limit of all files of a skill. */
const MAX_SKILL_BYTES = 30 * 1024 * 1024;
const MAX_FORM_BYTES = MAX_SKILL_BYTES + 256 * 1024;
const MAX_NAME_BYTES = 1_024;
const MAX_NAME_CHARACTERS = 255;
const MAX_SLUG_CHARACTERS = 64;
const MAX_DESCRIPTION_CHARACTERS = 1_024;
const slugPattern = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const pathPattern = /^[^/\\]+(\/[^/\\]+)*$/;

/** Reads the form of a skill. Throws SimulatedError(400) for files that are no skill. */
export async function readSkillForm(request: FormSource): Promise<UploadedSkill> {
  const files: SkillFile[] = [];
  let displayName: string | null = null;
  for await (const part of readParts(request, MAX_FORM_BYTES)) {
    if (part.name === "display_name") {
      displayName = (await readAll(part.body, MAX_NAME_BYTES)).toString("utf8");
    } else if (part.name === "files[]" || part.name === "files") {
      const content = await readAll(part.body, MAX_SKILL_BYTES);
      files.push({ path: checkPath(part.filename ?? ""), content });
    }
  }
  if (displayName !== null && displayName.length > MAX_NAME_CHARACTERS) {
    throw refuse(`display_name: at most ${MAX_NAME_CHARACTERS} characters`);
  }
  return { displayName: displayName === "" ? null : displayName, ...readHead(files), files };
}

function readHead(files: readonly SkillFile[]): Pick<UploadedSkill, "name" | "description"> {
  const [directory = ""] = (files[0]?.path ?? "").split("/");
  if (files.length === 0) throw refuse("files: Field required");
  if (files.some(({ path }) => !path.startsWith(`${directory}/`))) {
    throw refuse("files: All files must be in the same top-level directory.");
  }
  const main = files.find(({ path }) => path === `${directory}/SKILL.md`);
  if (main === undefined) throw refuse("files: SKILL.md is missing in the top-level directory.");
  const head = /^---\r?\n([\s\S]*?)\r?\n---/.exec(main.content.toString("utf8"))?.[1] ?? "";
  const name = readField(head, "name") ?? directory;
  if (!slugPattern.test(name) || name.length > MAX_SLUG_CHARACTERS) {
    throw refuse("SKILL.md: `name` must be lowercase letters, digits and single dashes.");
  }
  const description = readField(head, "description");
  if (description === null) throw refuse("SKILL.md: `description` is required in its head.");
  return { name, description: description.slice(0, MAX_DESCRIPTION_CHARACTERS) };
}

/** Reads a field of the head on one line. Other YAML is not understood. */
function readField(head: string, name: string): string | null {
  const value = new RegExp(`^${name}:[ \\t]*(.+?)[ \\t]*$`, "m").exec(head)?.[1];
  return value?.replace(/^(["'])(.*)\1$/, "$2") ?? null;
}

function checkPath(path: string): string {
  const isSafe = pathPattern.test(path) && !path.split("/").includes("..");
  if (!isSafe) throw refuse("files: a filename is not a relative path.");
  return path;
}

function refuse(message: string): SimulatedError {
  return new SimulatedError(400, message);
}
