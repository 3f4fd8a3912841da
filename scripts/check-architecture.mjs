// Checks the rules of .dependency-cruiser.cjs over the sources. Also fails on a cycle of allowed edges, on an unused
// edge or face file, and on a `*.sql.ts` file with two forms of statements. Fails too when it read too few modules,
// because a reader that cannot parse TypeScript finds none and would pass.
import { cruise } from "dependency-cruiser";
import config from "../.dependency-cruiser.cjs";
import { root } from "./runtime.mjs";
import { findMixedStatements } from "./statement-forms.mjs";

const { rooms, faces, facePattern, minimumModules } = config;
const { output } = await cruise(["contract/src", "server/src", "console/src"], {
  ...config.options,
  ruleSet: { forbidden: config.forbidden },
  validate: true,
});
const { totalCruised, violations } = output.summary;
const imports = listRoomImports(output.modules);
const problems = [
  ...violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
  ...findMissingFaces(),
  ...findCycle(),
  ...findUnusedEdges(),
  ...findUnusedFaces(),
  ...findMixedStatements(root),
];
if (totalCruised < minimumModules) {
  problems.push(`Only ${totalCruised} modules were read; at least ${minimumModules} are expected.`);
}
for (const problem of problems) console.error(problem);
const edges = Object.values(rooms).flat().length;
console.log(
  `architecture: ${totalCruised} modules, ${Object.keys(rooms).length} rooms, ${edges} edges, problems: ${problems.length}`,
);
process.exit(problems.length === 0 ? 0 : 1);

/** Lists imports of rooms from outside. `from` is the importing room, null for a file above all rooms. */
function listRoomImports(modules) {
  return modules
    .filter(({ source }) => source.startsWith("server/src/") && !source.endsWith(".test.ts"))
    .flatMap(({ source, dependencies }) =>
      dependencies.map(({ resolved }) => ({
        from: findRoom(source),
        room: findRoom(resolved),
        path: resolved,
      })),
    )
    .filter(({ from, room }) => room !== null && from !== room);
}

function findRoom(path) {
  return /^server\/src\/([^/]+)\//.exec(path)?.[1] ?? null;
}

/** Finds rooms in a cycle. A room is placed above all rooms that it may import. Rooms of a cycle are never placed. */
function findCycle() {
  const placed = new Set();
  const isPlaceable = (room) => rooms[room].every((allowed) => placed.has(allowed));
  let waiting = Object.keys(rooms);
  while (waiting.some(isPlaceable)) {
    for (const room of waiting.filter(isPlaceable)) placed.add(room);
    waiting = waiting.filter((room) => !placed.has(room));
  }
  return waiting.length === 0
    ? []
    : [`The allowed edges form a cycle among ${waiting.join(", ")}.`];
}

function findMissingFaces() {
  return Object.keys(faces)
    .filter((room) => faces[room] === null)
    .map((room) => `server/src/${room}/README.md has no paragraph that begins with **Face**.`);
}

function findUnusedEdges() {
  const used = new Set(imports.map(({ from, room }) => `${from} ${room}`));
  return Object.entries(rooms).flatMap(([room, allowed]) =>
    allowed
      .filter((other) => !used.has(`${room} ${other}`))
      .map(
        (other) => `unused edge: no file of ${room} imports ${other}; remove it from \`rooms\`.`,
      ),
  );
}

function findUnusedFaces() {
  const isUsed = (room, path) => {
    const pattern = new RegExp(facePattern(room, path));
    return imports.some((used) => pattern.test(used.path));
  };
  return Object.entries(faces).flatMap(([room, face]) =>
    (face ?? [])
      .filter((path) => !isUsed(room, path))
      .map(
        (path) => `unused face: no other room imports ${room}/${path}; remove it from its README.`,
      ),
  );
}
