import { expect, test } from "vitest";
import { CachedResults } from "./cached-results.ts";

test("a model caches results for its organization, until a stream shows otherwise", () => {
  const known = new CachedResults();
  known.note("org_1", "m", true);
  expect([known.has("org_1", "m"), known.has("org_2", "m"), known.has("org_1", "n")]).toEqual([
    true,
    false,
    false,
  ]);
  known.note("org_1", "m", false);
  expect(known.has("org_1", "m")).toBe(false);
});

test("beyond 4,096 entries, the oldest is forgotten", () => {
  const known = new CachedResults();
  for (let org = 0; org <= 4_096; org++) known.note(`org_${org}`, "m", true);
  expect([known.has("org_0", "m"), known.has("org_1", "m"), known.has("org_4096", "m")]).toEqual([
    false,
    true,
    true,
  ]);
});
