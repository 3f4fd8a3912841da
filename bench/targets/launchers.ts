import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../children.ts";
import type { TargetName } from "../options.ts";
import { findPeer, peerPackages } from "../peers/packages.ts";
import type { Launcher } from "../turns.ts";
import { measureBursarStarts, startBursar } from "./bursar.ts";
import { directTarget } from "./direct.ts";
import { findNginx, startNginx } from "./nginx.ts";
import { startPeer } from "./peers.ts";

/** A launcher, and the version of its program. */
export type VersionedLauncher = Launcher & { version: string | null };

/** Launchers of the chosen targets. Reports a target that is not installed, and leaves it out. */
export function makeLaunchers(
  names: readonly TargetName[],
  upstream: { port: number; pid: number },
): VersionedLauncher[] {
  return names.flatMap((name) => {
    const launcher = makeLauncher(name, upstream);
    if (!launcher) console.error(`> ${name}: not installed`);
    return launcher ?? [];
  });
}

function makeLauncher(
  name: TargetName,
  upstream: { port: number; pid: number },
): VersionedLauncher | null {
  const usual = { name, measureStarts: null, isBaseline: false };
  switch (name) {
    case "direct": {
      const start = async () => directTarget(upstream);
      return { ...usual, version: null, isBaseline: true, start };
    }
    case "nginx": {
      const nginx = findNginx();
      if (!nginx) return null;
      const { program, version } = nginx;
      return { ...usual, version, start: (options) => startNginx(program, options) };
    }
    case "portkey":
    case "claude-code-router":
    case "litellm":
    case "one-api": {
      const installed = findPeer(name);
      if (!installed) return null;
      const { version } = peerPackages[name];
      return { ...usual, version, start: (options) => startPeer(name, installed, options) };
    }
    case "bursar":
      return bursarLauncher(name, {});
    case "bursar-sockets":
      return bursarLauncher(name, { BURSAR_HTTP: "sockets" });
    case "bursar-node":
      return bursarLauncher(name, { BURSAR_HTTP: "node" });
  }
}

function bursarLauncher(name: TargetName, settings: Record<string, string>): VersionedLauncher {
  return {
    name,
    version: bursarVersion(),
    start: async (options) => ({ ...(await startBursar({ ...options, settings })), name }),
    measureStarts: (options) => measureBursarStarts({ ...options, settings }),
    isBaseline: false,
  };
}

function bursarVersion(): string {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    version: string;
  };
  const git = (args: readonly string[]) =>
    spawnSync("git", args, { cwd: root, encoding: "utf8" }).stdout?.trim() ?? "";
  const commit = git(["rev-parse", "--short", "HEAD"]);
  const isChanged = git(["status", "--porcelain"]) !== "";
  return commit === "" ? version : `${version} (${commit}${isChanged ? " with changes" : ""})`;
}
