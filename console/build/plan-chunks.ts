import { joinGroups, type ModuleGroup } from "./join-groups.ts";

// Decides the file of every module. A bundler alone makes one file for each set of importers, 400 for this console.

/** Module of the build: the ids of its static and of its late imports, and its size. */
export interface PlannedModule {
  importedIds: readonly string[];
  dynamicallyImportedIds: readonly string[];
  /** Size of the source, bytes. */
  size: number;
}

export interface ChunkPlanInput {
  find: (id: string) => PlannedModule | null;
  /** First module of each document, by the name of its file. */
  documents: { console: string; signIn: string };
  /** Section of a page by the id of its module. Null: a part that loads later. */
  sectionOf: (id: string) => string | null;
  isOverlay: (id: string) => boolean;
}

/** Modules that visitors and the start of the console need. Further files of visitors and members have a number. */
const BASE = "base";
const CONSOLE = "console";
const SIGN_IN = "sign-in";
/** Modules of many sections. Further files have a number. */
const SHARED = "shared";
/** Dialogs, menus and lists over a page, which most parts that open later need. */
const OVERLAYS = "overlays";
/** Other parts that open later. */
const LATE = "late";

/** 18 kB of source are 2.4 kB compressed. */
const FILE_BYTES = 18_000;
/** Files of more sections are named by a number. */
const MAX_NAMED_SECTIONS = 3;

/** Names of files, the more general ones first: a file imports earlier ones only. */
export interface ChunkPlan {
  fileOf: ReadonlyMap<string, string>;
  order: readonly string[];
}

export function planChunks({ find, documents, sectionOf, isOverlay }: ChunkPlanInput): ChunkPlan {
  const ofConsole = closureOf([documents.console], find);
  const { sections, late } = findParts(ofConsole, find, sectionOf);
  const ofVisitors = closureOf([documents.signIn], find);
  const fileOf = new Map<string, string>();
  for (const id of ofConsole) fileOf.set(id, ofVisitors.has(id) ? BASE : CONSOLE);

  const sectionsById = new Map<string, string[]>();
  const addSection = (name: string, ids: Iterable<string>) => {
    for (const id of ids) {
      if (!fileOf.has(id)) sectionsById.set(id, [...(sectionsById.get(id) ?? []), name].sort());
    }
  };
  for (const [name, roots] of sections) addSection(name, closureOf(roots, find));
  addSection(SIGN_IN, ofVisitors);
  // The file of the sign-in starts its pages when it loads, so members must never load it.
  addSection(
    LATE,
    [...closureOf(late, find)].filter((id) => ofVisitors.has(id)),
  );
  const files = joinGroups({
    groups: groupBySections(sectionsById, find),
    listImports: (id) => find(id)?.importedIds ?? [],
    apart: SIGN_IN,
    fileBytes: FILE_BYTES,
  });
  const names = nameFiles(files, ({ ids, size, sections }) => {
    const isOfBase = (id: string) =>
      ids.includes(id) || (fileOf.get(id) === BASE && !sectionsById.has(id));
    const isSmall = sections.has(SIGN_IN) && sections.size > 1 && size <= FILE_BYTES;
    return isSmall && ids.every((id) => (find(id)?.importedIds ?? []).every(isOfBase));
  });
  for (const [place, { ids }] of files.entries()) {
    for (const id of ids) fileOf.set(id, names[place] ?? SHARED);
  }
  for (const [file, roots] of [
    [OVERLAYS, late.filter(isOverlay)],
    [LATE, late],
  ] as const) {
    for (const id of closureOf(roots, find)) if (!fileOf.has(id)) fileOf.set(id, file);
  }
  const used = new Set(fileOf.values());
  const order = new Set([BASE, CONSOLE, ...names, OVERLAYS, LATE]);
  return { fileOf, order: [...order].filter((file) => used.has(file)) };
}

function groupBySections(
  sectionsById: ReadonlyMap<string, readonly string[]>,
  find: ChunkPlanInput["find"],
): ModuleGroup[] {
  const ids = [...sectionsById.keys()].sort();
  return [...Map.groupBy(ids, (id) => sectionsById.get(id)?.join()).values()].map((together) => ({
    ids: together,
    sections: new Set(sectionsById.get(together[0] ?? "")),
    size: together.reduce((sum, id) => sum + (find(id)?.size ?? 0), 0),
  }));
}

/** Name of each file: its sections if they are few, else a number. A file can become a part of the base. */
function nameFiles(
  files: readonly ModuleGroup[],
  isOfBase: (file: ModuleGroup) => boolean,
): string[] {
  const counts = new Map<string, number>();
  return files.map((file) => {
    const { sections } = file;
    if (isOfBase(file)) return BASE;
    if (sections.size <= MAX_NAMED_SECTIONS && !(sections.size > 1 && sections.has(SIGN_IN))) {
      return [...sections].sort().join("-");
    }
    const name = sections.has(SIGN_IN) ? BASE : SHARED;
    const count = (counts.get(name) ?? (name === BASE ? 1 : 0)) + 1;
    counts.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  });
}

/** Finds the modules at which pages and late parts begin, through all of the console. */
function findParts(
  firstIds: Iterable<string>,
  find: ChunkPlanInput["find"],
  sectionOf: ChunkPlanInput["sectionOf"],
): { sections: Map<string, string[]>; late: string[] } {
  const sections = new Map<string, string[]>();
  const late: string[] = [];
  const seen = new Set(firstIds);
  const waiting = [...seen];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const { importedIds = [], dynamicallyImportedIds = [] } = find(id) ?? {};
    for (const begun of dynamicallyImportedIds) {
      const section = sectionOf(begun);
      if (section === null) late.push(begun);
      else sections.set(section, [...(sections.get(section) ?? []), begun]);
    }
    for (const next of [...importedIds, ...dynamicallyImportedIds]) {
      if (seen.has(next)) continue;
      seen.add(next);
      waiting.push(next);
    }
  }
  return { sections, late };
}

/** The modules and all that they import statically. */
function closureOf(ids: readonly string[], find: ChunkPlanInput["find"]): Set<string> {
  const found = new Set<string>();
  const waiting = [...ids];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    waiting.push(...(find(id)?.importedIds ?? []));
  }
  return found;
}
