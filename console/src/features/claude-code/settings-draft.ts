import type { Answer, Input } from "../../api-client.ts";

// Policies while a member edits them. Settings are text, which can be invalid for a while.

export type SettingsPolicy = Answer<"getManagedSettings">["policies"][number];
type NewPolicy = Input<"setManagedSettings">["body"]["policies"][number];

export interface PolicyDraft {
  /** Distinguishes drafts with equal names. */
  key: number;
  name: string;
  groupIds: readonly string[];
  /** JSON of the settings. */
  text: string;
}

let lastKey = 0;

export function makeDraft(
  name: string,
  groupIds: readonly string[],
  settings: object,
): PolicyDraft {
  lastKey += 1;
  return { key: lastKey, name, groupIds, text: JSON.stringify(settings, null, 2) };
}

export function toDrafts(policies: readonly SettingsPolicy[]): PolicyDraft[] {
  return policies.map(({ name, group_ids, settings }) => makeDraft(name, group_ids, settings));
}

/** A fault in the text of a draft. */
interface TextFault {
  /** Line of the text, 1 is the first. Null: unknown. */
  line: number | null;
  message: string;
}

/** Parses the settings of a draft. */
export function parseSettings(
  text: string,
): { settings: Record<string, unknown> } | { fault: TextFault } {
  try {
    const settings: unknown = JSON.parse(text);
    if (typeof settings === "object" && settings !== null && !Array.isArray(settings)) {
      return { settings: settings as Record<string, unknown> };
    }
    return { fault: { line: 1, message: "Expected an object: { … }" } };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { fault: { line: findErrorLine(text, message), message: shorten(message) } };
  }
}

/** Browsers name the line, or the position in the text. */
function findErrorLine(text: string, message: string): number | null {
  const line = /line (\d+)/.exec(message)?.[1];
  if (line !== undefined) return Number(line);
  const position = /position (\d+)/.exec(message)?.[1];
  if (position !== undefined) return countLines(text.slice(0, Number(position)));
  return /end of/i.test(message) ? countLines(text) : null;
}

/** Removes the place, and the copy of the text, that some browsers add. */
function shorten(message: string): string {
  return message
    .replace(/, (\.\.\.)?".*" is not valid JSON$/s, " is not valid JSON")
    .replace(/ (in JSON )?at (position|line) \d+.*$/s, "");
}

export function countLines(text: string): number {
  return text.split("\n").length;
}

/** Converts drafts for the API. Null: the text of one is invalid. */
export function toPolicies(drafts: readonly PolicyDraft[]): NewPolicy[] | null {
  const policies = drafts.flatMap(({ name, groupIds, text }) => {
    const parsed = parseSettings(text);
    return "fault" in parsed ? [] : [{ name, group_ids: [...groupIds], settings: parsed.settings }];
  });
  return policies.length === drafts.length ? policies : null;
}

/** A fault or warning of the server at its draft. */
export interface PlacedNote {
  /** Position of the draft. Null: all policies. */
  index: number | null;
  field: "name" | "group_ids" | "settings" | null;
  line: number | null;
  message: string;
}

/** Finds the draft and the line of a path such as `policies.0.settings.env.A`. */
export function placeNote(
  drafts: readonly PolicyDraft[],
  { path, message }: { path: string; message: string },
): PlacedNote {
  const [, index, field = null, ...names] = path.split(".");
  const draft = index === undefined ? undefined : drafts[Number(index)];
  if (draft === undefined) return { index: null, field: null, line: null, message };
  const isSettings = field === "settings";
  return {
    index: Number(index),
    field: isSettings || field === "name" || field === "group_ids" ? field : null,
    line: isSettings ? findLine(draft.text, names) : null,
    message: isSettings && names.length > 0 ? `${names.join(".")}: ${message}` : message,
  };
}

/** Finds the line of a value in JSON text. Returns the line of the nearest parent that the text has. */
export function findLine(text: string, names: readonly string[]): number {
  let at = 0;
  for (const name of names) {
    const next = findName(text, at, name);
    if (next === null) break;
    at = next;
  }
  return countLines(text.slice(0, at));
}

/** Finds a name, or an entry of a list by its number, in the first object or list after `from`. */
function findName(text: string, from: number, name: string): number | null {
  let level = 0;
  let entry = 0;
  for (let at = from; at < text.length; at += 1) {
    const char = text.charAt(at);
    const isWanted = level === 1 && String(entry) === name && isEntry(text, at);
    if (char === '"') {
      const end = findStringEnd(text, at);
      const isName = /^\s*:/.test(text.slice(end));
      if (level === 1 && isName && JSON.parse(text.slice(at, end)) === name) return end;
      if (isWanted && !isName) return at;
      at = end - 1;
    } else if (/[{[\-\dtfn]/.test(char)) {
      if (isWanted) return at;
      if (char === "{" || char === "[") level += 1;
    } else if (char === "}" || char === "]") {
      level -= 1;
      if (level <= 0) return null;
    } else if (char === ",") {
      if (level === 0) return null;
      if (level === 1) entry += 1;
    }
  }
  return null;
}

/** True if the value at the position is an entry of a list. */
function isEntry(text: string, at: number): boolean {
  return /[[,]\s*$/.test(text.slice(0, at));
}

function findStringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

/** Moves a draft by one place. */
export function moveDraft(drafts: readonly PolicyDraft[], from: number, to: number): PolicyDraft[] {
  const moved = drafts[from];
  if (moved === undefined || to < 0 || to >= drafts.length) return [...drafts];
  const rest = drafts.filter((_, index) => index !== from);
  return [...rest.slice(0, to), moved, ...rest.slice(to)];
}
