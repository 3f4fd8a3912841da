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

/** Modules of visitors that the rest of the console needs too. */
const BASE = "base";
const CONSOLE = "console";
const SIGN_IN = "sign-in";
/** Modules that many sections need. */
const SHARED = "shared";
/** Dialogs, menus and lists over a page, which most parts that open later need. */
const OVERLAYS = "overlays";
/** Other parts that open later. */
const LATE = "late";

/** From this number of sections on, a module is in the shared file. */
const MIN_SHARED_SECTIONS = 4;
/** Modules of fewer sections are also in the shared file while they are smaller in total, bytes of source. */
const MIN_OWN_FILE_BYTES = 16_000;

/** Names of files, the more general ones first: a file imports earlier ones only. */
export interface ChunkPlan {
  fileOf: ReadonlyMap<string, string>;
  order: readonly string[];
}

export function planChunks({ find, documents, sectionOf, isOverlay }: ChunkPlanInput): ChunkPlan {
  const ofConsole = closureOf([documents.console], find);
  const { sections, late } = findParts(ofConsole, find, sectionOf);
  const ofMembers = closureOf([documents.console, ...[...sections.values()].flat(), ...late], find);
  const fileOf = new Map<string, string>();
  for (const id of closureOf([documents.signIn], find)) {
    fileOf.set(id, ofMembers.has(id) ? BASE : SIGN_IN);
  }
  for (const id of ofConsole) if (!fileOf.has(id)) fileOf.set(id, CONSOLE);

  const namesById = new Map<string, string[]>();
  for (const [name, roots] of [...sections].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const id of closureOf(roots, find)) {
      if (!fileOf.has(id)) namesById.set(id, [...(namesById.get(id) ?? []), name]);
    }
  }
  const sizes = new Map<string, number>();
  for (const [id, names] of namesById) {
    const file = toFileName(names);
    sizes.set(file, (sizes.get(file) ?? 0) + (find(id)?.size ?? 0));
  }
  for (const [id, names] of namesById) {
    const file = toFileName(names);
    const isSmall = names.length > 1 && (sizes.get(file) ?? 0) < MIN_OWN_FILE_BYTES;
    fileOf.set(id, isSmall ? SHARED : file);
  }
  for (const [file, roots] of [
    [OVERLAYS, late.filter(isOverlay)],
    [LATE, late],
  ] as const) {
    for (const id of closureOf(roots, find)) if (!fileOf.has(id)) fileOf.set(id, file);
  }
  return { fileOf, order: orderFiles(new Set(fileOf.values())) };
}

function toFileName(sections: readonly string[]): string {
  return sections.length >= MIN_SHARED_SECTIONS ? SHARED : sections.join("-");
}

/** A file of two sections comes before the files of each. */
function orderFiles(files: ReadonlySet<string>): string[] {
  const first = [BASE, CONSOLE, SIGN_IN, SHARED];
  const partsOf = (file: string) =>
    file === LATE ? -1 : file === OVERLAYS ? 0 : file.split("-").length;
  const others = [...files].filter((file) => !first.includes(file));
  others.sort((a, b) => partsOf(b) - partsOf(a) || (a < b ? -1 : 1));
  return [...first.filter((file) => files.has(file)), ...others];
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
