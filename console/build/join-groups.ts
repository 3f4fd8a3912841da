// Decides which groups of modules share a file. Few files save requests, and small files save modules that a page does not
// need.

/** Modules that the same sections load. */
export interface ModuleGroup {
  ids: readonly string[];
  sections: ReadonlySet<string>;
  /** Bytes of source. */
  size: number;
}

interface JoinInput {
  groups: readonly ModuleGroup[];
  listImports: (id: string) => readonly string[];
  /** Groups with and without this section share no file. */
  apart: string;
  /** Price of one more file of a section, as bytes of source that the section does not need. */
  fileBytes: number;
}

/** Joins groups while files are dearer than foreign modules. Returns the files, each after those that it imports. */
export function joinGroups({ groups, listImports, apart, fileBytes }: JoinInput): ModuleGroup[] {
  let files = [...groups];
  for (;;) {
    const imports = findImports(files, listImports);
    const reached = new Map(files.map((file) => [file, findReached(file, imports)]));
    const best = findPairs(files)
      .filter(([a, b]) => a.sections.has(apart) === b.sections.has(apart))
      .filter((pair) => findLeastPrice(pair, fileBytes) < 0)
      .map((pair) => joinPair(pair, reached, fileBytes))
      .filter(({ price }) => price < 0)
      .sort((first, second) => first.price - second.price)
      .find(({ pair: [a, b] }) => !isBetween(a, b, imports, reached));
    if (!best) return sortByImports(files, imports);
    files = files.flatMap((file) => best.changed.get(file) ?? file);
  }
}

type Pair = readonly [ModuleGroup, ModuleGroup];
type Files = ReadonlyMap<ModuleGroup, ReadonlySet<ModuleGroup>>;

function findPairs(files: readonly ModuleGroup[]): Pair[] {
  return files.flatMap((a, place) => files.slice(place + 1).map((b): Pair => [a, b]));
}

/** Least price of one file instead of two: without the files that they import, which only add to it. */
function findLeastPrice([a, b]: Pair, fileBytes: number): number {
  let shared = 0;
  for (const section of a.sections) if (b.sections.has(section)) shared += 1;
  const onlyA = a.sections.size - shared;
  const onlyB = b.sections.size - shared;
  return onlyA * b.size + onlyB * a.size - shared * fileBytes;
}

interface Join {
  pair: Pair;
  /** Bytes that all sections load more. Negative: fewer. */
  price: number;
  /** New files in the place of each changed one. */
  changed: ReadonlyMap<ModuleGroup, readonly ModuleGroup[]>;
}

/** One file instead of two. Sections that load one of them then also load all that the other imports. */
function joinPair(pair: Pair, reached: Files, fileBytes: number): Join {
  const [a, b] = pair;
  const sections = new Set([...a.sections, ...b.sections]);
  const joined = { ids: [...a.ids, ...b.ids], sections, size: a.size + b.size };
  const changed = new Map<ModuleGroup, readonly ModuleGroup[]>([
    [a, [joined]],
    [b, []],
  ]);
  for (const file of [...(reached.get(a) ?? []), ...(reached.get(b) ?? [])]) {
    if (changed.has(file)) continue;
    changed.set(file, [{ ...file, sections: new Set([...file.sections, ...sections]) }]);
  }
  const load = (files: Iterable<ModuleGroup>) =>
    [...files].reduce((sum, file) => sum + file.sections.size * (file.size + fileBytes), 0);
  return { pair, changed, price: load([...changed.values()].flat()) - load(changed.keys()) };
}

function findImports(files: readonly ModuleGroup[], listImports: JoinInput["listImports"]): Files {
  const fileOf = new Map(files.flatMap((file) => file.ids.map((id) => [id, file])));
  return new Map(
    files.map((file) => {
      const imported = file.ids.flatMap((id) =>
        listImports(id).flatMap((other) => fileOf.get(other) ?? []),
      );
      return [file, new Set(imported.filter((other) => other !== file))];
    }),
  );
}

/** All files that a file imports, also through others. */
function findReached(file: ModuleGroup, imports: Files): Set<ModuleGroup> {
  const reached = new Set<ModuleGroup>();
  const waiting = [...(imports.get(file) ?? [])];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    waiting.push(...(imports.get(next) ?? []));
  }
  return reached;
}

/** Tests whether one file imports the other through a third one. Joined, they would import it and be imported by it. */
function isBetween(a: ModuleGroup, b: ModuleGroup, imports: Files, reached: Files): boolean {
  const leads = (from: ModuleGroup, to: ModuleGroup) =>
    [...(imports.get(from) ?? [])].some((third) => third !== to && reached.get(third)?.has(to));
  return leads(a, b) || leads(b, a);
}

function sortByImports(files: readonly ModuleGroup[], imports: Files): ModuleGroup[] {
  const sorted = new Set<ModuleGroup>();
  const add = (file: ModuleGroup) => {
    if (sorted.has(file)) return;
    for (const imported of imports.get(file) ?? []) add(imported);
    sorted.add(file);
  };
  for (const file of files) add(file);
  return [...sorted];
}
