// The one place that says which module may import which. `npm run arch` checks it with scripts/check-architecture.mjs.
const { existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");

/**
 * Rooms of `server/src`, each with the rooms that its product code may import. The edges form a directed graph without
 * cycles, and each is in use. Tests may import every room.
 */
const rooms = {
  lib: [],
  db: ["lib"],
  domain: ["lib"],
  "signed-rows": ["db"],
  http1: ["lib"],
  "client-forms": ["lib", "domain", "http1"],
  simulator: ["lib"],
  jobs: ["lib", "db"],
  recording: ["lib", "db", "domain"],
  "key-lookup": ["lib", "db", "domain", "signed-rows"],
  access: ["db", "domain", "signed-rows", "key-lookup"],
  audit: ["lib", "db", "domain", "signed-rows", "access"],
  mail: ["lib", "db", "domain", "access", "audit", "jobs"],
  alerts: ["lib", "db", "domain", "key-lookup", "access", "audit", "jobs", "mail", "recording"],
  limits: ["lib", "db", "domain", "access", "audit"],
  rates: ["lib", "db", "domain", "access", "audit", "limits"],
  spend: [
    "lib",
    "db",
    "domain",
    "key-lookup",
    "access",
    "audit",
    "mail",
    "alerts",
    "limits",
    "prices",
    "recording",
    "rates",
  ],
  prices: ["lib", "db", "domain", "access", "audit", "recording"],
  upstreams: ["lib", "db", "domain", "http1", "access", "audit"],
  organizations: ["lib", "db", "domain", "access", "audit"],
  tags: ["db", "domain", "access"],
  workspaces: ["lib", "db", "domain", "access", "audit", "tags"],
  people: [
    "lib",
    "db",
    "domain",
    "signed-rows",
    "key-lookup",
    "access",
    "audit",
    "mail",
    "limits",
    "spend",
    "rates",
  ],
  keys: [
    "lib",
    "db",
    "domain",
    "signed-rows",
    "key-lookup",
    "access",
    "audit",
    "jobs",
    "mail",
    "people",
    "limits",
    "spend",
    "rates",
    "tags",
  ],
  "claude-code": [
    "lib",
    "db",
    "domain",
    "signed-rows",
    "key-lookup",
    "access",
    "audit",
    "jobs",
    "people",
    "keys",
  ],
  "tag-files": ["lib", "db", "domain", "access", "audit", "tags", "workspaces", "keys"],
  reviews: ["lib", "db", "domain", "key-lookup", "access", "audit", "jobs", "mail", "people"],
  "hand-over": ["db", "domain", "access", "alerts", "audit", "people", "keys", "reviews"],
  failover: ["lib", "db", "domain", "signed-rows", "access", "audit", "people"],
  usage: ["lib", "db", "domain", "access", "audit", "recording", "spend"],
  refusals: ["lib", "db", "domain", "access", "recording", "usage"],
  system: ["lib", "db", "domain", "key-lookup", "access", "audit", "recording", "spend"],
  backup: ["lib", "db", "signed-rows", "key-lookup", "audit", "recording", "spend"],
  "secret-rotation": [
    "lib",
    "db",
    "signed-rows",
    "key-lookup",
    "audit",
    "mail",
    "alerts",
    "claude-code",
    "upstreams",
    "people",
    "keys",
    "reviews",
  ],
  overview: ["db", "domain", "access", "alerts", "audit", "reviews", "spend", "usage"],
  gateway: ["lib", "domain", "http1", "key-lookup", "rates", "spend", "upstreams"],
  "message-batches": [
    "lib",
    "db",
    "domain",
    "access",
    "audit",
    "gateway",
    "key-lookup",
    "recording",
    "spend",
    "upstreams",
    "usage",
  ],
  "upstream-objects": [
    "lib",
    "db",
    "domain",
    "access",
    "audit",
    "gateway",
    "key-lookup",
    "recording",
    "upstreams",
    "usage",
  ],
  http: [
    "lib",
    "domain",
    "access",
    "alerts",
    "audit",
    "claude-code",
    "client-forms",
    "gateway",
    "hand-over",
    "http1",
    "key-lookup",
    "keys",
    "mail",
    "message-batches",
    "organizations",
    "overview",
    "people",
    "prices",
    "rates",
    "refusals",
    "reviews",
    "spend",
    "system",
    "tag-files",
    "tags",
    "upstream-objects",
    "upstreams",
    "usage",
    "workspaces",
  ],
  process: [
    "lib",
    "db",
    "domain",
    "access",
    "alerts",
    "audit",
    "backup",
    "claude-code",
    "failover",
    "gateway",
    "http",
    "http1",
    "jobs",
    "key-lookup",
    "keys",
    "mail",
    "message-batches",
    "organizations",
    "people",
    "prices",
    "rates",
    "recording",
    "refusals",
    "reviews",
    "simulator",
    "spend",
    "system",
    "upstream-objects",
    "upstreams",
    "usage",
  ],
  cli: ["lib", "db", "domain", "backup", "secret-rotation"],
};

/** Fewest modules that a whole reading finds. A reading that finds fewer missed a part, and its silence proves nothing. */
const minimumModules = 1200;

const TESTS = "[.]test[.]ts$";
const inRoom = (room) => `^server/src/${room}/`;
/** Rooms that read the configuration themselves. All others take it as an argument. */
const READ_CONFIG = ["cli", "process"];

/**
 * Files of a room that other rooms may import: paths below the room, and patterns with `*`. They are in the README's
 * paragraph that begins with **Face**. Null without that paragraph.
 */
function readFace(room) {
  const file = join(__dirname, "server", "src", room, "README.md");
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const paragraph = /^\*\*Face\*\*[^\n]*(?:\n(?!\n)[^\n]*)*/m.exec(text);
  return paragraph && [...paragraph[0].matchAll(/`([^`]+)`/g)].map(([, path]) => path);
}

const faces = Object.fromEntries(Object.keys(rooms).map((room) => [room, readFace(room)]));
/** Source of the regular expression for one file, or for the files of a pattern, in a room. */
const facePattern = (room, path) =>
  `${inRoom(room)}${path.replaceAll(".", "[.]").replaceAll("*", "[^/]*")}$`;

const edgeRules = Object.entries(rooms).map(([room, allowed]) => ({
  name: `${room}-imports-only-its-allowed-rooms`,
  comment: "Add the edge to `rooms` above if it belongs there and closes no cycle.",
  severity: "error",
  from: { path: inRoom(room), pathNot: TESTS },
  to: {
    path: "^server/src/",
    pathNot: [
      ...[room, ...allowed].map(inRoom),
      ...(READ_CONFIG.includes(room) ? ["^server/src/config[.]ts$"] : []),
    ],
  },
}));

const faceRules = Object.entries(faces).map(([room, face]) => ({
  name: `${room}-is-imported-through-its-face`,
  comment: `Add the file to **Face** in server/src/${room}/README.md if other rooms need it.`,
  severity: "error",
  from: { path: "^server/src/", pathNot: [TESTS, inRoom(room)] },
  to: {
    path: inRoom(room),
    pathNot: (face ?? []).map((path) => facePattern(room, path)),
  },
}));

// The console: features/ -> kit/ -> ui/, each also the modules beside router.tsx. The routes alone put features together.
const consoleRules = [
  {
    name: "console-features-never-import-one-another",
    severity: "error",
    from: { path: "^console/src/features/([^/]+)/" },
    to: { path: "^console/src/features/", pathNot: "^console/src/features/$1/" },
  },
  {
    name: "console-only-routes-import-features",
    severity: "error",
    from: { path: "^console/src/", pathNot: "^console/src/(features|routes)/" },
    to: { path: "^console/src/features/" },
  },
  {
    name: "console-pages-do-not-import-the-shell",
    severity: "error",
    from: { path: "^console/src/(features|kit)/" },
    to: { path: "^console/src/(shell/|routes/|main[.]tsx$|router[.]tsx$)" },
  },
  {
    name: "console-ui-imports-nothing-of-the-product",
    comment:
      "observable.ts and load-part.ts have no word of the product either. guide-names.ts types the link of a page.",
    severity: "error",
    from: { path: "^console/src/ui/" },
    to: {
      path: "^(console/src|contract)/",
      pathNot: "^console/src/(ui/|observable[.]ts$|load-part[.]ts$|guide-names[.]ts$)",
    },
  },
  {
    name: "console-top-level-modules-import-no-pages",
    severity: "error",
    from: { path: "^console/src/[^/]+$", pathNot: ["^console/src/(main|router)[.]tsx$", TESTS] },
    to: { path: "^console/src/(kit|shell)/" },
  },
  {
    name: "console-names-the-contract-as-a-package",
    comment: "A relative path would go around the exports of @bursar/contract.",
    severity: "error",
    from: { path: "^console/src/" },
    to: { path: "^contract/", dependencyTypes: ["local"] },
  },
  {
    name: "console-loads-no-schemas",
    comment: "Types of every file are fine. These files alone have values and no schema library.",
    severity: "error",
    from: { path: "^console/src/", pathNot: TESTS },
    to: {
      path: "^contract/src/",
      pathNot:
        "^contract/src/(access-paths|claude-code-file|console-pages|key-issues|permissions|report-headers|statement-groups|telemetry-signals|usage-shape)[.]ts$",
      dependencyTypesNot: ["type-only"],
    },
  },
];

module.exports = {
  rooms,
  faces,
  facePattern,
  minimumModules,
  forbidden: [
    ...edgeRules,
    ...faceRules,
    ...consoleRules,
    {
      name: "every-folder-is-a-room",
      severity: "error",
      from: {
        path: "^server/src/([^/]+)/",
        pathNot: Object.keys(rooms).map(inRoom),
      },
      to: {},
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "rules-are-pure",
      comment: "Time, randomness and rows come in as arguments. No I/O.",
      severity: "error",
      from: { path: "^server/src/(domain/|.*[.]rule[.]ts$)", pathNot: TESTS },
      to: { dependencyTypes: ["core", "npm"], pathNot: "node_modules/zod/" },
    },
    {
      name: "rules-import-only-rules",
      severity: "error",
      from: { path: "^server/src/.*[.]rule[.]ts$" },
      to: { path: "^server/src/", pathNot: "^server/src/(domain|lib)/|[.]rule[.]ts$" },
    },
    {
      name: "only-sql-files-touch-the-driver",
      severity: "error",
      from: { path: "^server/src/", pathNot: "^server/src/db/|[.]sql[.]ts$|[.]test[.]ts$" },
      to: { path: "node_modules/(pg|kysely)/" },
    },
    {
      name: "only-http-mounts-routes",
      comment: "Inside a room: routes.ts, then the use case, then *.sql.ts.",
      severity: "error",
      from: { path: "^server/src/", pathNot: ["^server/src/(http|gateway)/", TESTS] },
      to: { path: "^server/src/.*/(official-)?routes[.]ts$" },
    },
    {
      name: "contract-imports-only-itself",
      severity: "error",
      from: { path: "^contract/" },
      to: { path: "^(server|console)/" },
    },
    {
      name: "console-sees-only-contract",
      severity: "error",
      from: { path: "^console/" },
      to: { path: "^server/" },
    },
    {
      name: "server-does-not-see-console",
      severity: "error",
      from: { path: "^server/" },
      to: { path: "^console/" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "[.]d[.]ts$" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
    },
  },
};
