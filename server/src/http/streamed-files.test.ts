import { expect, test } from "vitest";
import type { Caller } from "#src/domain/caller.ts";
import { makeAdminKeyCaller } from "#test/harness/admin-key-caller.ts";
import { makeStreamedFiles } from "./streamed-files.ts";

const callerOf = (id: string, organizationId = "org_a"): Caller =>
  makeAdminKeyCaller(id, organizationId);

test("one caller streams at most two files, and one organization at most half of all", () => {
  const files = makeStreamedFiles(() => false);
  const first = callerOf("adminkey_1");
  for (let i = 0; i < 2; i++) files.open(first);
  expect(() => files.open(first)).toThrow(/This caller already downloads 2 files/);
  files.open(callerOf("adminkey_2"));
  expect(() => files.open(callerOf("adminkey_3"))).toThrow(/This organization already downloads 3/);
  files.open(callerOf("adminkey_4", "org_b"));
});

test("a complete file frees its place once", () => {
  const files = makeStreamedFiles(() => false);
  const caller = callerOf("adminkey_1");
  const [close] = [files.open(caller), files.open(caller)];
  close();
  close();
  files.open(caller);
  expect(() => files.open(caller)).toThrow(/share/);
});

test("while Claude requests run, files are made slowly, one piece of all files at a time", async () => {
  let isBusy = true;
  const files = makeStreamedFiles(() => isBusy);
  const turns: string[] = [];
  const makeFile = async (name: string, pieces: number) => {
    for (let i = 0; i < pieces; i++) {
      await files.waitForTurn();
      turns.push(name);
    }
  };
  const startMs = performance.now();
  await Promise.all([makeFile("a", 10), makeFile("b", 10)]);
  expect(turns.join("")).toBe("ab".repeat(10));
  expect(performance.now() - startMs).toBeGreaterThan(20 * 7);
  isBusy = false;
  const idleMs = performance.now();
  await makeFile("c", 20);
  expect(performance.now() - idleMs).toBeLessThan(20 * 7);
});
