import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

// Other gateways that the benchmark can measure, with pinned versions. `install.ts` installs them.

export const peerNames = ["portkey", "claude-code-router", "litellm", "one-api"] as const;
export type PeerName = (typeof peerNames)[number];

export interface PeerPackage {
  /** Package or module of the source. */
  package: string;
  version: string;
  source: "npm" | "PyPI" | "Go";
  /** Path of its program inside its folder. */
  program: string;
  /** Versions of npm packages below it. */
  overrides?: Readonly<Record<string, string>>;
}

export const peerPackages: Readonly<Record<PeerName, PeerPackage>> = {
  portkey: {
    package: "@portkey-ai/gateway",
    version: "1.15.2",
    source: "npm",
    program: "node_modules/@portkey-ai/gateway/build/start-server.js",
    // Newer versions keep the headers of a stream immutable, and the gateway refuses every stream with a 500.
    overrides: { "@hono/node-server": "1.13.7" },
  },
  "claude-code-router": {
    package: "@musistudio/claude-code-router",
    version: "2.0.0",
    source: "npm",
    program: "node_modules/@musistudio/claude-code-router/dist/cli.js",
  },
  litellm: {
    package: "litellm[proxy]",
    version: "1.105.7",
    source: "PyPI",
    program: "bin/litellm",
  },
  "one-api": {
    package: "github.com/songquanpeng/one-api",
    version: "v0.6.10",
    source: "Go",
    program: "one-api",
  },
};

/** Go module with the token tables that one-api otherwise downloads at its start. */
export const TOKEN_TABLES = { module: "github.com/pkoukk/tiktoken-go-loader", version: "v0.0.2" };

/** Folder of an installed peer. A new version has a new folder. */
export function locatePeer(name: PeerName): string {
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(cache, "bursar-bench", `${name}-${peerPackages[name].version}`);
}

/** Program of an installed peer. Null if it is not installed. */
export function findPeer(name: PeerName): { folder: string; program: string } | null {
  const folder = locatePeer(name);
  const program = join(folder, peerPackages[name].program);
  return existsSync(program) ? { folder, program } : null;
}
