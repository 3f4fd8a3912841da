import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { adminRoutes } from "@bursar/contract/routes.ts";
import { expect, test } from "vitest";

const GUIDE = join(import.meta.dirname, "../../docs/guides/reports.md");

test("the guide lists every call that may read a replica, and no other", async () => {
  const guide = await readFile(GUIDE, "utf8");
  const [, table = ""] = /Only these calls read the replica:\s+((?:\|.*\n)+)/.exec(guide) ?? [];
  const listed = [...table.matchAll(/`(?:GET )?(\/v1\/[^`]+)`/g)].map(([, path]) => path);
  const reports = adminRoutes.filter((route) => "isReport" in route);
  expect(listed.sort()).toEqual(reports.map(({ path }) => path).sort());
});
