// The one place that says which folder may import which; `npm run arch` runs it.
// Each line: folder -> the folders it may import. Anything not listed is forbidden.
const mayImport = {
  lib: [],
  domain: ["lib"],
  db: ["lib"],
  audit: ["lib", "domain", "db"],
  access: ["lib", "domain", "db"],
  identity: ["lib", "domain", "db", "access"],
  mail: ["lib", "domain", "db"],
  people: ["lib", "domain", "db", "access", "audit", "identity", "mail"],
  alerting: ["lib", "domain", "db", "access", "audit", "mail", "metering"],
  ledger: ["lib", "domain", "db"],
  metering: ["lib", "domain", "db"],
  "rate-limits": ["lib", "domain", "db"],
  gateway: ["lib", "domain", "db", "ledger", "rate-limits", "metering", "access"],
  features: [
    "lib",
    "domain",
    "db",
    "ledger",
    "rate-limits",
    "metering",
    "access",
    "audit",
    "identity",
    "mail",
    "people",
    "alerting",
  ],
  jobs: [
    "lib",
    "domain",
    "db",
    "ledger",
    "metering",
    "access",
    "audit",
    "mail",
    "alerting",
    "features",
  ],
  backup: ["lib", "domain", "db", "ledger", "metering", "access", "audit"],
  http: ["lib", "domain", "access", "features", "gateway"],
  cli: ["lib", "domain", "db", "ledger", "features", "backup"],
};

const folderRules = Object.entries(mayImport).map(([folder, allowed]) => ({
  name: `${folder}-imports-only-${allowed.join("-") || "nothing"}`,
  severity: "error",
  from: { path: `^server/src/${folder}/`, pathNot: "[.]test[.]ts$" },
  to: {
    path: "^server/src/",
    // cli/ stands beside main.ts: it reads the configuration itself.
    pathNot: [
      ...[folder, ...allowed].map((name) => `^server/src/${name}/`),
      ...(folder === "cli" ? ["^server/src/config[.]ts$"] : []),
    ],
  },
}));

module.exports = {
  forbidden: [
    ...folderRules,
    {
      name: "a-folder-without-a-row-is-an-error",
      severity: "error",
      from: {
        path: "^server/src/([^/]+)/",
        pathNot: `^server/src/(${Object.keys(mayImport).join("|")})/`,
      },
      to: {},
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "features-do-not-import-each-other",
      severity: "error",
      from: { path: "^server/src/features/([^/]+)/", pathNot: "[.]test[.]ts$" },
      to: { path: "^server/src/features/", pathNot: "^server/src/features/$1/" },
    },
    {
      name: "domain-is-pure",
      comment: "No I/O: time, randomness and rows come in as arguments.",
      severity: "error",
      from: { path: "^server/src/domain/", pathNot: "[.]test[.]ts$" },
      to: { dependencyTypes: ["core", "npm"], pathNot: "node_modules/zod/" },
    },
    {
      name: "only-sql-files-touch-the-driver",
      severity: "error",
      from: { path: "^server/src/", pathNot: "^server/src/db/|[.]sql[.]ts$|[.]test[.]ts$" },
      to: { path: "node_modules/(pg|kysely)/" },
    },
    {
      name: "contract-imports-nobody",
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
