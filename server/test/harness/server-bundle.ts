import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Plugin, rolldown } from "rolldown";
import { prepareCachedFolder } from "./cached-folder.ts";
import { hashFiles, listFiles } from "./hash-files.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const SOURCE_FOLDERS = ["server/src", "contract/src"];
const OTHER_SOURCES = [
  "package-lock.json",
  "server/package.json",
  "contract/package.json",
  "server/test/harness/server-bundle.ts",
];
/** Programs and threads of a server. Each becomes a file of the bundle with its name. */
const PROGRAMS = [
  "server/src/main.ts",
  "server/src/process/node-process.ts",
  "server/src/claude-code/telemetry/mark-thread.ts",
];
/**
 * Packages outside the bundle. They are large and rarely loaded, or not installed: graphile-worker and better-auth name some
 * that the server does not use.
 */
const EXTERNAL = [
  "typescript",
  "cosmiconfig",
  "pg-native",
  // Libraries of cloud platforms, which an upstream on one loads at its first request.
  "@aws-sdk/credential-providers",
  "@azure/identity",
  "@smithy/eventstream-codec",
  "@smithy/signature-v4",
  "google-auth-library",
];

/**
 * Returns the main program of test servers: the sources and their packages in a few files. Its modules take 0.21 s of CPU
 * time instead of 0.59 s. Names of classes and functions stay, and each module knows the path of its source.
 */
export async function prepareServerBundle(): Promise<string> {
  const folder = await prepareCachedFolder("server", await hashSources(), createBundle);
  return join(folder, "main.mjs");
}

/** Writes the bundle to a new folder. */
async function createBundle(folder: string): Promise<void> {
  const bundle = await rolldown({
    input: PROGRAMS.map((path) => join(root, path)),
    platform: "node",
    external: EXTERNAL,
    plugins: [keepPaths, hashPasswordsQuickly],
    logLevel: "silent",
  });
  try {
    await bundle.write({
      dir: folder,
      format: "esm",
      entryFileNames: "[name].mjs",
      chunkFileNames: "[name]-[hash].mjs",
      keepNames: true,
    });
  } finally {
    await bundle.close();
  }
}

/** Replaces the paths of a module by those of its source. URLs of programs stay, because these are in the bundle. */
const keepPaths: Plugin = {
  name: "keep-paths",
  transform: {
    filter: { code: /import\.meta\.|__dirname|__filename/ },
    handler: (code, id) => {
      const folder = JSON.stringify(dirname(id));
      return code
        .replace(
          /new URL\("\.\/([\w-]+)\.ts", import\.meta\.url\)/g,
          'new URL("./$1.mjs", import.meta["url"])',
        )
        .replace(/\bimport\.meta\.url\b/g, JSON.stringify(pathToFileURL(id).href))
        .replace(/\bimport\.meta\.dirname\b|\b__dirname\b/g, folder)
        .replace(/\bimport\.meta\.filename\b|\b__filename\b/g, JSON.stringify(id));
    },
  },
};

const PASSWORD_COST = "const COST = 131_072;";

/** Environment of a server: cost of scrypt, or the real cost without it. */
export const PASSWORD_COST_VARIABLE = "TEST_PASSWORD_COST";

/** Lets the environment lower the cost of scrypt. Each password takes 0.5 s of CPU time otherwise. */
const hashPasswordsQuickly: Plugin = {
  name: "hash-passwords-quickly",
  transform: {
    filter: { id: /\/people\/identity\/hash-password\.ts$/ },
    handler: (code) => {
      if (!code.includes(PASSWORD_COST)) throw new Error(`no "${PASSWORD_COST}" in the source`);
      const cost = `Number(process.env["${PASSWORD_COST_VARIABLE}"] ?? 131_072)`;
      return code.replace(PASSWORD_COST, `const COST = ${cost};`);
    },
  },
};

/** The paths are absolute, so the hash includes the repository's root. */
async function hashSources(): Promise<string> {
  const sources = await Promise.all(SOURCE_FOLDERS.map((folder) => listFiles(join(root, folder))));
  const others = OTHER_SOURCES.map((path) => join(root, path));
  return hashFiles([...sources.flat().filter((path) => !path.endsWith(".test.ts")), ...others]);
}
