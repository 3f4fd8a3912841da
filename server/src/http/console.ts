import { readdir, readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { consolePages, movedConsolePages } from "@bursar/contract/console-pages.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { consolePolicy } from "./security-headers.ts";

/** File of the built console in memory, in every supported encoding. */
interface ConsoleFile {
  type: string;
  plain: Buffer;
  gzip: Buffer | null;
  brotli: Buffer | null;
}

/** The built console: its documents, and its other files by name. */
export interface ConsoleBuild {
  /** Document for addresses without one of their own. */
  document: ConsoleFile;
  /**
   * Documents by the first part of their addresses, which name the files of their page. The name of a document for longer
   * addresses ends in `.below`.
   */
  documents: ReadonlyMap<string, ConsoleFile>;
  assets: ReadonlyMap<string, ConsoleFile>;
}

const ASSETS = "assets";
const DOCUMENTS = "documents";
/** Page at `/`. */
const FIRST_PAGE = "overview";
const HTML = "text/html; charset=utf-8";
const YEAR_S = 31_536_000;
const REFERENCE_PAGE: (typeof consolePages)[number] = "docs";
/** Files of the reference page, as `console/build/sections.ts` names them. */
const REFERENCE_FILE = /^(docs|reference)-/;
const types: Record<string, string> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".woff2": "font/woff2",
  ".svg": "image/svg+xml",
  ".html": HTML,
};

/**
 * Reads the output of `scripts/build-console.mjs`. Null: the console is not built. All files are read once. So a
 * request path never reaches the disk, and a new build during the run does not mix with this one.
 */
export async function readConsole(folder: string): Promise<ConsoleBuild | null> {
  const assets = await readFolder(join(folder, ASSETS));
  if (assets === null) return null;
  const documents = (await readFolder(join(folder, DOCUMENTS))) ?? new Map();
  const document = await readForms(join(folder, "index.html"), HTML);
  const byPage = [...documents].map(([name, file]) => [basename(name, ".html"), file] as const);
  return { document, documents: new Map(byPage), assets };
}

/** Files of a folder that the server knows the type of. Null: there is no such folder. */
async function readFolder(folder: string): Promise<Map<string, ConsoleFile> | null> {
  const names = await readdir(folder).catch(() => null);
  if (names === null) return null;
  const files = names
    .filter((name) => extname(name) in types)
    .map(async (name) => {
      const file = await readForms(join(folder, name), types[extname(name)] ?? "");
      return [name, file] as const;
    });
  return new Map(await Promise.all(files));
}

/**
 * Mounts the documents at current and earlier addresses, and the files, whose names contain their content's hash. Without
 * the reference, its address and its files are unknown.
 */
export function mountConsole(
  app: FastifyInstance,
  build: ConsoleBuild,
  { hasReference }: { hasReference: boolean },
): void {
  const sendDocumentOf = (...names: string[]) => {
    const [found = build.document] = names.flatMap((name) => build.documents.get(name) ?? []);
    return (request: FastifyRequest, reply: FastifyReply) =>
      sendFile(
        request,
        reply.header("content-security-policy", consolePolicy).header("cache-control", "no-store"),
        found,
      );
  };
  app.get("/", sendDocumentOf(FIRST_PAGE));
  const moved = movedConsolePages.map(([before]) => before.split("/")[1]);
  const pages = consolePages.filter((page) => hasReference || page !== REFERENCE_PAGE);
  for (const page of new Set([...pages, ...moved.filter((page) => page !== undefined)])) {
    app.get(`/${page}`, sendDocumentOf(page));
    app.get(`/${page}/*`, sendDocumentOf(`${page}.below`, page));
  }
  // One route for all files: one for each of 187 files took 80 ms of processor time.
  app.get<{ Params: { name: string } }>(`/${ASSETS}/:name`, (request, reply) => {
    const { name } = request.params;
    const file = build.assets.get(name);
    const isHidden = !hasReference && REFERENCE_FILE.test(name);
    if (file === undefined || isHidden) return reply.callNotFound();
    return sendFile(
      request,
      reply.header("cache-control", `public, max-age=${YEAR_S}, immutable`),
      file,
    );
  });
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: ConsoleFile): FastifyReply {
  const accepted = request.headers["accept-encoding"] ?? "";
  reply.type(file.type).header("vary", "accept-encoding");
  if (file.brotli && /\bbr\b/.test(accepted)) {
    return reply.header("content-encoding", "br").send(file.brotli);
  }
  if (file.gzip && /\bgzip\b/.test(accepted)) {
    return reply.header("content-encoding", "gzip").send(file.gzip);
  }
  return reply.send(file.plain);
}

async function readForms(path: string, type: string): Promise<ConsoleFile> {
  const readIfPresent = (name: string) => readFile(name).catch(() => null);
  const [plain, gzip, brotli] = await Promise.all([
    readFile(path),
    readIfPresent(`${path}.gz`),
    readIfPresent(`${path}.br`),
  ]);
  return { type, plain, gzip, brotli };
}
