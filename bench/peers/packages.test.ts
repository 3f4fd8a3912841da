import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { findPeer, locatePeer, peerNames, peerPackages } from "./packages.ts";

const cache = mkdtempSync(join(tmpdir(), "bursar-peers-"));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

test("every peer has a pinned version", () => {
  for (const name of peerNames) expect(peerPackages[name].version).toMatch(/^v?\d+\.\d+\.\d+$/);
});

test("finds a peer in the cache folder once its program exists", () => {
  vi.stubEnv("XDG_CACHE_HOME", cache);
  expect(findPeer("one-api")).toBeNull();
  const folder = locatePeer("one-api");
  expect(folder).toBe(join(cache, "bursar-bench", "one-api-v0.6.10"));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "one-api"), "");
  expect(findPeer("one-api")).toEqual({ folder, program: join(folder, "one-api") });
});
