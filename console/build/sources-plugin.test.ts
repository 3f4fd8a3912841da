import { expect, test } from "vitest";
import { findOtherFiles } from "./sources-plugin.ts";

test("finds files of the repository outside the sources, without packages and virtual modules", () => {
  const ids = [
    "/repo/console/src/main.tsx",
    "/repo/console/src/icon.svg?url",
    "/repo/package.json",
    "/repo/console/source.ts",
    "/repo/server/src/lib/clock.ts",
    "/repo/server/src/lib/clock.ts",
    "/repo/node_modules/react/index.js",
    "/repository/other.ts",
    "\0virtual:contract",
  ];
  expect(findOtherFiles(ids, "/repo", ["console/src", "package.json"])).toEqual([
    "console/source.ts",
    "server/src/lib/clock.ts",
  ]);
});
