import { expect, test } from "vitest";
import { loadConfig } from "#src/config.ts";
import { banner } from "./banner.ts";
import type { NextSteps } from "./next-steps.ts";

function bannerAfter(done: Partial<NextSteps>): string {
  const nextSteps = { setUpUrl: null, hasAdminKey: false, hasApiKey: false, hasRequest: false };
  const server = {
    url: "http://127.0.0.1:8484",
    upstream: () => null,
    upstreamVariables: "",
    isDatabaseEmbedded: true,
    warnings: [],
    nextSteps: { ...nextSteps, ...done },
  };
  return banner(loadConfig({}, "/nowhere"), server, false);
}

test.each([
  [{}, "Next: an admin key, a workspace with a key, and a first request to Claude.", 3],
  [{ hasAdminKey: true }, "Next: a workspace with a key and a first request to Claude.", 2],
  [{ hasApiKey: true }, "Next: a first request to Claude, with an API key in API_KEY.", 1],
])("lists the remaining steps after %j", (done, next, commands) => {
  const lines = bannerAfter(done).split("\n");
  expect(lines).toContain(next);
  expect(lines.filter((line) => /^ {2}(export|\.\/bursar|curl) /.test(line))).toHaveLength(
    commands,
  );
});

test("lists no step after a first request", () => {
  const text = bannerAfter({ hasRequest: true });
  expect(text).toContain("Bursar is ready at http://127.0.0.1:8484");
  expect(text).not.toMatch(/Next:|curl|\.\/bursar/);
});

test("shows the link for the first owner while no owner exists", () => {
  const text = bannerAfter({ hasRequest: true, setUpUrl: "http://127.0.0.1:8484/setup#token=t" });
  expect(text).toContain("  http://127.0.0.1:8484/setup#token=t\n");
});
