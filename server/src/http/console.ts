import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
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

/** The built console: its document, and its other files by name. */
export interface ConsoleBuild {
  document: ConsoleFile;
  assets: ReadonlyMap<string, ConsoleFile>;
}

const ASSETS = "assets";
const YEAR_S = 31_536_000;
const types: Record<string, string> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".woff2": "font/woff2",
  ".svg": "image/svg+xml",
};

/**
 * Reads the output of `scripts/build-console.mjs`. Null: the console is not built. All files are read once. So a
 * request path never reaches the disk, and a new build during the run does not mix with this one.
 */
export async function readConsole(folder: string): Promise<ConsoleBuild | null> {
  const assetFolder = join(folder, ASSETS);
  const names = await readdir(assetFolder).catch(() => null);
  if (names === null) return null;
  const served = names.filter((name) => extname(name) in types);
  const assets = await Promise.all(
    served.map(async (name) => {
      const file = await readForms(join(assetFolder, name), types[extname(name)] ?? "");
      return [name, file] as const;
    }),
  );
  const document = await readForms(join(folder, "index.html"), "text/html; charset=utf-8");
  return { document, assets: new Map(assets) };
}

/** Mounts the document at current and earlier addresses, and the files, whose names contain their content's hash. */
export function mountConsole(app: FastifyInstance, build: ConsoleBuild): void {
  const sendDocument = (request: FastifyRequest, reply: FastifyReply) =>
    sendFile(
      request,
      reply.header("content-security-policy", consolePolicy).header("cache-control", "no-store"),
      build.document,
    );
  app.get("/", sendDocument);
  const moved = movedConsolePages.map(([before]) => before.split("/")[1]);
  for (const page of new Set([...consolePages, ...moved])) {
    app.get(`/${page}`, sendDocument);
    app.get(`/${page}/*`, sendDocument);
  }
  // One route for all files: one for each of 187 files took 80 ms of processor time.
  app.get<{ Params: { name: string } }>(`/${ASSETS}/:name`, (request, reply) => {
    const file = build.assets.get(request.params.name);
    if (file === undefined) return reply.callNotFound();
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
