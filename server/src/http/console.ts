import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { consolePages, movedConsolePages } from "@bursar/contract/console-pages.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { consolePolicy } from "./security-headers.ts";

/** One file of the built console, in memory, in every form that a browser may take it. */
interface ConsoleFile {
  type: string;
  plain: Buffer;
  gzip: Buffer | null;
  brotli: Buffer | null;
}

/** The built console: its document, and its other files by their path on the server. */
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
 * Reads what `scripts/build-console.mjs` made, or null where nothing is built. All of it, once: the files are then
 * answered by name from memory, so no path of a request ever reaches the disk, and a build that replaces this one while
 * the server runs does not mix with it.
 */
export async function readConsole(folder: string): Promise<ConsoleBuild | null> {
  const assetFolder = join(folder, ASSETS);
  const names = await readdir(assetFolder).catch(() => null);
  if (names === null) return null;
  const served = names.filter((name) => extname(name) in types);
  const assets = await Promise.all(
    served.map(async (name) => {
      const file = await readForms(join(assetFolder, name), types[extname(name)] ?? "");
      return [`/${ASSETS}/${name}`, file] as const;
    }),
  );
  const document = await readForms(join(folder, "index.html"), "text/html; charset=utf-8");
  return { document, assets: new Map(assets) };
}

/** The console's document at each of its addresses, earlier ones too, and its files, which carry the hash of their content in their name. */
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
  for (const [path, file] of build.assets) {
    app.get(path, (request, reply) =>
      sendFile(
        request,
        reply.header("cache-control", `public, max-age=${YEAR_S}, immutable`),
        file,
      ),
    );
  }
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
  const ifThere = (name: string) => readFile(name).catch(() => null);
  const [plain, gzip, brotli] = await Promise.all([
    readFile(path),
    ifThere(`${path}.gz`),
    ifThere(`${path}.br`),
  ]);
  return { type, plain, gzip, brotli };
}
