// Reads the part of the Dockerfile language that the project's Dockerfile uses. Anything else is an error, so that no
// instruction is skipped. Reference: https://docs.docker.com/reference/dockerfile/

export interface Stage {
  /** Name in `FROM … AS name`. Null without one. */
  name: string | null;
  /** An image, or the name of an earlier stage. */
  from: string;
  steps: Step[];
}

export type Step =
  | { kind: "COPY"; fromStage: string | null; sources: string[]; target: string }
  | { kind: "ENV" | "LABEL"; values: Record<string, string> }
  | { kind: "RUN"; command: string }
  | { kind: "WORKDIR" | "USER" | "VOLUME" | "EXPOSE"; value: string }
  | { kind: "CMD"; command: string[] }
  | { kind: "HEALTHCHECK"; options: Record<string, string>; command: string[] };

const HEALTH_OPTIONS = ["interval", "timeout", "start-period", "retries"];

/** Returns the stages in order. Throws for an unsupported instruction, flag or form. */
export function readDockerfile(text: string): Stage[] {
  const stages: Stage[] = [];
  for (const line of joinLines(text)) {
    const [, name = "", rest = ""] = /^(\S+)\s+(.*)$/s.exec(line) ?? [];
    if (name === "FROM") {
      stages.push(readStage(rest));
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error(`before the first FROM: ${line}`);
    stage.steps.push(readStep(name, rest, line));
  }
  return stages;
}

/** Joins continued lines: one instruction a line, without comments. */
function joinLines(text: string): string[] {
  const lines = text.split("\n").filter((line) => !/^\s*#/.test(line));
  return lines
    .join("\n")
    .replaceAll(/\s*\\\n\s*/g, " ")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function readStage(rest: string): Stage {
  const [, from, name] = /^([^\s-]\S*)(?:\s+AS\s+(\S+))?$/.exec(rest) ?? [];
  if (from === undefined) throw new Error(`unknown form: FROM ${rest}`);
  return { name: name ?? null, from, steps: [] };
}

function readStep(name: string, rest: string, line: string): Step {
  switch (name) {
    case "COPY":
      return readCopy(rest);
    case "ENV":
    case "LABEL":
      return { kind: name, values: readPairs(rest) };
    case "RUN":
      if (/^(\[|--)/.test(rest)) throw new Error(`unknown form: ${line}`);
      return { kind: name, command: rest };
    case "WORKDIR":
    case "USER":
    case "VOLUME":
    case "EXPOSE":
      if (/\s/.test(rest)) throw new Error(`unknown form: ${line}`);
      return { kind: name, value: rest };
    case "CMD":
      return { kind: name, command: readExecForm(rest) };
    case "HEALTHCHECK":
      return readHealthCheck(rest);
    default:
      throw new Error(`unknown instruction: ${line}`);
  }
}

function readCopy(rest: string): Step {
  const words = rest.split(/\s+/);
  const flags = words.filter((word) => word.startsWith("--"));
  const [, fromStage = null] = /^--from=(\S+)$/.exec(flags[0] ?? "") ?? [];
  if (flags.length > (fromStage === null ? 0 : 1)) throw new Error(`unknown flag: COPY ${rest}`);
  const paths = words.slice(flags.length);
  const target = paths.pop();
  if (target === undefined || paths.length === 0 || /[*?["$]/.test(rest)) {
    throw new Error(`unknown form: COPY ${rest}`);
  }
  return { kind: "COPY", fromStage, sources: paths, target };
}

/** Parses `a=b c="d e"`. */
function readPairs(rest: string): Record<string, string> {
  const pair = /([\w.-]+)=(?:"([^"$\\]*)"|([^\s"'$\\]*))(?:\s+|$)/y;
  const values: Record<string, string> = {};
  while (pair.lastIndex < rest.length) {
    const match = pair.exec(rest);
    if (match === null) throw new Error(`unknown form of a value: ${rest}`);
    values[match[1] ?? ""] = match[2] ?? match[3] ?? "";
  }
  return values;
}

/** Accepts the exec form only. A shell as process 1 does not pass SIGTERM on. */
function readExecForm(rest: string): string[] {
  const words: unknown = rest.startsWith("[") ? JSON.parse(rest) : null;
  if (!Array.isArray(words) || !words.every((word) => typeof word === "string")) {
    throw new Error(`not the exec form: ${rest}`);
  }
  return words;
}

function readHealthCheck(rest: string): Step {
  const [, flags = "", command = ""] = /^((?:--\S+\s+)*)CMD\s+(.*)$/.exec(rest) ?? [];
  const options: Record<string, string> = {};
  for (const flag of flags.split(/\s+/).filter((word) => word !== "")) {
    const [, name = "", value = ""] = /^--([a-z-]+)=(\S+)$/.exec(flag) ?? [];
    if (!HEALTH_OPTIONS.includes(name)) throw new Error(`unknown flag: HEALTHCHECK ${flag}`);
    options[name] = value;
  }
  return { kind: "HEALTHCHECK", options, command: readExecForm(command) };
}
