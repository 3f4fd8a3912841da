import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bindInstallation, nodeIdentity } from "./node-identity.ts";

let directory: string;

beforeEach(() => {
  directory = path.join(fs.mkdtempSync(path.join(tmpdir(), "bursar-node-")), "journal");
});

afterEach(() => fs.rmSync(path.dirname(directory), { recursive: true, force: true }));

const identify = (configuredId: string | null, madeId = "node_made") =>
  nodeIdentity({ directory, configuredId, makeId: () => madeId });

test("a folder gets an id once and keeps it", () => {
  expect(identify(null, "node_a")).toBe("node_a");
  expect(identify(null, "node_b")).toBe("node_a");
  expect(identify("node_a")).toBe("node_a");
});

test("a new folder gets the configured name, and a folder with another name refuses it", () => {
  expect(identify("gateway-1")).toBe("gateway-1");
  expect(() => identify("gateway-2")).toThrow(/belongs to node "gateway-1", but BURSAR_NODE_ID is/);
});

test.each(["", "with space", "../up", "x".repeat(65)])("the name %j is refused", (name) => {
  expect(() => identify(name)).toThrow(/BURSAR_NODE_ID must be/);
  expect(fs.existsSync(directory)).toBe(false);
});

test("a damaged id file is refused, never replaced", () => {
  identify("gateway-1");
  fs.writeFileSync(path.join(directory, "node-id"), "");
  expect(() => identify(null)).toThrow(/has no id/);
});

test("a folder stays with its database", () => {
  bindInstallation(directory, "one");
  bindInstallation(directory, "one");
  expect(() => bindInstallation(directory, "two")).toThrow(/belongs to another database/);
});
