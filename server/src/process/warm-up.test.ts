import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeLogger } from "#src/lib/logger.ts";
import { warmUp } from "./warm-up.ts";

const logged: { level: number; msg: string }[] = [];
const logger = makeLogger("debug", { write: (line) => logged.push(JSON.parse(line)) });
const WARNING = 40;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bursar-test-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  vi.unstubAllEnvs();
  logged.length = 0;
});

test.each(["sockets", "node"] as const)(
  "each kind of request gets the expected response with %s",
  async (http) => {
    const result = await warmUp({ logger, http, maxRequests: 64, withinMs: 20_000 });
    expect(result?.requests).toBe(64);
    expect(logged.filter(({ level }) => level >= WARNING)).toEqual([]);
  },
);

test("the temporary folder is removed at the end", async () => {
  vi.stubEnv("TMPDIR", folder);
  expect(
    await warmUp({ logger, http: "sockets", maxRequests: 8, withinMs: 20_000 }),
  ).not.toBeNull();
  expect(readdirSync(folder)).toEqual([]);
});

test("no request starts after the time of the warm-up", async () => {
  const result = await warmUp({ logger, http: "sockets", maxRequests: 1_000_000, withinMs: 1 });
  expect(result?.requests).toBeLessThan(100);
});

test("a time of 0 turns the warm-up off", async () => {
  vi.stubEnv("TMPDIR", join(folder, "missing"));
  expect(await warmUp({ logger, http: "sockets", withinMs: 0 })).toBeNull();
  expect(logged).toEqual([]);
});

test("a failure is logged, and does not reject", async () => {
  const missing = join(folder, "missing");
  vi.stubEnv("TMPDIR", missing);
  expect(await warmUp({ logger, http: "sockets", withinMs: 20_000 })).toBeNull();
  expect(existsSync(missing)).toBe(false);
  expect(logged).toMatchObject([{ level: WARNING, msg: expect.stringContaining("warm-up") }]);
});
