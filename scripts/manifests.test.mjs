import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { OLDEST_NODE, root, SERVER_NODE_OPTIONS } from "./runtime.mjs";

const readText = (path) => readFileSync(join(root, path), "utf8");
const manifest = JSON.parse(readText("package.json"));
const { packages } = JSON.parse(readText("package-lock.json"));
const majorOf = (version) => Number(version.split(".")[0]);

test("the engines, the installation and the start name the same oldest Node", () => {
  expect(manifest.engines.node).toBe(`>=${OLDEST_NODE}`);
  expect(packages[""].engines.node).toBe(manifest.engines.node);
  expect(readText("README.md")).toContain(`older than ${OLDEST_NODE}`);
});

test(".nvmrc, the Node from npm and its types have one major version", () => {
  const installed = Object.entries(manifest.optionalDependencies)
    .filter(([name]) => name.startsWith("node-"))
    .map(([, version]) => majorOf(version));
  const versions = [...installed, majorOf(manifest.devDependencies["@types/node"])];
  expect(new Set(versions)).toEqual(new Set([Number(readText(".nvmrc"))]));
  expect(installed[0]).toBeGreaterThanOrEqual(OLDEST_NODE);
});

test("the image, the service and the benchmark start a server with the same options of Node", () => {
  const command = ["node", ...SERVER_NODE_OPTIONS, "server/src/main.ts", "start"];
  expect(readText("Dockerfile")).toContain(
    `\nCMD ${JSON.stringify(command).replaceAll(",", ", ")}\n`,
  );
  expect(readText("deploy/bursar.service")).toContain(`/${command.join(" ")}\n`);
  const list = JSON.stringify(SERVER_NODE_OPTIONS).replaceAll(",", ", ");
  expect(readText("bench/targets/server.ts")).toContain(`NODE_OPTIONS = ${list};`);
});

test("all workspaces have the license of the repository", () => {
  const folders = ["", ...manifest.workspaces];
  const licenses = folders.flatMap((folder) => [
    JSON.parse(readText(join(folder, "package.json"))).license,
    packages[folder].license,
  ]);
  expect(new Set(licenses)).toEqual(new Set(["Apache-2.0"]));
  expect(readText("LICENSE")).toMatch(/^\s+Apache License\s+Version 2\.0, January 2004\s/);
});
