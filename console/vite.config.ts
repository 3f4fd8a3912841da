import { join } from "node:path";
import { enforcements, NEW_LIMIT_HOLD } from "@bursar/contract/admin/spend-limits.ts";
import { consolePages, signInPages } from "@bursar/contract/console-pages.ts";
import type { RouteSpec } from "@bursar/contract/route.ts";
import { adminRoutes } from "@bursar/contract/routes.ts";
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { build, defineConfig, type Plugin } from "vite";
import { addEarlyScript, addLaterFiles, addPageFiles, type BuiltFile } from "./build/documents.ts";
import { guidesPlugin } from "./build/guides-plugin.ts";
import { type ChunkPlan, planChunks } from "./build/plan-chunks.ts";
import { referencePlugin } from "./build/reference-plugin.ts";
import { isOverlay, isPageOf, sectionOf } from "./build/sections.ts";
import { sourcesPlugin } from "./build/sources-plugin.ts";

const CONTRACT = "virtual:contract";
const AUDIT_EVENTS = "virtual:audit-events";
/** The console calls no operation of the official Admin API. */
const OFFICIAL = "/v1/organizations/";
const root = import.meta.dirname;
const documents = { console: "index.html", signIn: "sign-in.html" } as const;
/** Files and folders that a build may read. Null outside `scripts/build-console.mjs`. */
const sources = JSON.parse(process.env["CONSOLE_SOURCES"] ?? "null") as string[] | null;
const checkSources = () => (sources === null ? [] : [sourcesPlugin(join(root, ".."), sources)]);
const ofVisitors: ReadonlySet<string> = new Set(signInPages);

/**
 * Runtime data of the contract for the console, such as the method and path of every operation. The schemas stay on the
 * server. The console has only their types, so its bundle contains no schema library.
 */
function contractFacts(): Plugin {
  const routes = Object.fromEntries(
    adminRoutes
      .filter(({ path }) => !path.startsWith(OFFICIAL))
      .map(({ operationId, method, path, action, stepUp }: RouteSpec) => {
        const mark = action === "public" ? "public" : stepUp === true ? "step-up" : null;
        return [operationId, mark === null ? [method, path] : [method, path, mark]];
      }),
  );
  const auditEvents = adminRoutes.flatMap(({ audited }) => audited ?? []);
  const sources: Readonly<Record<string, string>> = {
    [`\0${CONTRACT}`]: `export const routes = ${JSON.stringify(routes)};\nexport const enforcements = ${JSON.stringify(enforcements)};\nexport const newLimitHold = ${JSON.stringify(NEW_LIMIT_HOLD)};\n`,
    [`\0${AUDIT_EVENTS}`]: `export const auditEvents = ${JSON.stringify([...new Set(auditEvents)].sort())};\n`,
  };
  return {
    name: "bursar-contract",
    resolveId: (id) => (`\0${id}` in sources ? `\0${id}` : null),
    load: (id) => sources[id] ?? null,
  };
}

/**
 * Writes `documents/<page>.html` for each page of the console, and `<page>.below.html` for the addresses below it. The
 * server answers these addresses with them, and others with `index.html`. During development, pages of visitors get their
 * document here.
 */
function pageDocuments(): Plugin {
  let isBuild = false;
  let early: string | null = null;
  return {
    name: "bursar-documents",
    configResolved: ({ command }) => {
      isBuild = command === "build";
    },
    configureServer: ({ middlewares }) => {
      middlewares.use((request, _response, next) => {
        const [page = ""] = (request.url ?? "").slice(1).split(/[/?]/);
        if (ofVisitors.has(page)) request.url = `/${documents.signIn}`;
        next();
      });
    },
    async buildStart() {
      if (!isBuild) return;
      const source = await buildEarlyScript();
      early = this.emitFile({ type: "asset", name: "early.js", source });
    },
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const files: BuiltFile[] = Object.values(bundle).flatMap((file) =>
          file.type === "chunk"
            ? [{ name: file.fileName, imports: file.imports, moduleIds: file.moduleIds }]
            : [],
        );
        const read = (name: string) => {
          const file = bundle[name];
          if (file?.type !== "asset") throw new Error(`the build has no ${name}`);
          return String(file.source);
        };
        if (early === null) throw new Error("the build has no early script");
        const html = addEarlyScript(read(documents.console), this.getFileName(early));
        const emit = (page: string, name: string, hasBelow: boolean) => {
          const source = addPageFiles({ html, files, isOfPage: isPageOf(page, { hasBelow }) });
          this.emitFile({ type: "asset", fileName: `documents/${name}.html`, source });
        };
        emit("overview", "overview", false);
        for (const page of consolePages) {
          if (ofVisitors.has(page)) continue;
          emit(page, page, false);
          emit(page, `${page}.below`, true);
        }
        const isOverview = isPageOf("overview", { hasBelow: false });
        const isLater = (id: string) => id === join(root, "src", "main.tsx") || isOverview(id);
        const visitors = { html: read(documents.signIn), files, isOfPage: isLater };
        const source = addLaterFiles(visitors);
        for (const page of signInPages) {
          this.emitFile({ type: "asset", fileName: `documents/${page}.html`, source });
        }
      },
    },
  };
}

/** Builds early.ts as a program of its own, which waits for no other file. */
async function buildEarlyScript(): Promise<string> {
  const built = await build({
    configFile: false,
    root,
    logLevel: "error",
    plugins: checkSources(),
    build: {
      write: false,
      target: TARGET,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      rolldownOptions: { input: join(root, "src", "early.ts") },
    },
  });
  const [program] = "output" in built ? built.output : [];
  if (program?.type !== "chunk") throw new Error("the build has no early script");
  return program.code;
}

const TARGET = "es2022";

let plan: ChunkPlan | null = null;

/** Names of the files in the order of the plan. The bundler fills earlier groups first. */
const MAX_FILES = 120;
const groups = Array.from({ length: MAX_FILES }, (_, place) => ({
  priority: MAX_FILES - place,
  debugName: `place ${place}`,
  name: (id: string, graph: { getModuleInfo: (id: string) => Found | null }) => {
    plan ??= planChunks({
      find: (id) => toPlanned(graph.getModuleInfo(id)),
      documents: {
        console: join(root, documents.console),
        signIn: join(root, documents.signIn),
      },
      sectionOf,
      isOverlay,
    });
    const file = plan.fileOf.get(id);
    return file !== undefined && plan.order[place] === file ? file : null;
  },
}));

interface Found {
  importedIds: string[];
  dynamicallyImportedIds: string[];
  code: string | null;
}

function toPlanned(module: Found | null) {
  if (module === null) return null;
  const { importedIds, dynamicallyImportedIds, code } = module;
  return { importedIds, dynamicallyImportedIds, size: code?.length ?? 0 };
}

export default defineConfig({
  root,
  plugins: [
    contractFacts(),
    guidesPlugin(join(root, "..")),
    referencePlugin(root),
    react(),
    tailwind(),
    pageDocuments(),
    ...checkSources(),
  ],
  build: {
    outDir: process.env["CONSOLE_OUT_DIR"] ?? "dist",
    emptyOutDir: true,
    target: TARGET,
    // The server's Content-Security-Policy allows no style or font in a data: URL.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: Object.values(documents).map((name) => join(root, name)),
      output: { codeSplitting: { groups } },
    },
  },
});
