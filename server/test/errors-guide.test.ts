import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { renderErrorCodeTable } from "@bursar/contract/error-table.ts";
import { expect, test } from "vitest";

const GUIDE = join(import.meta.dirname, "../../docs/guides/errors.md");
const TABLE = /<!-- codes -->\n[\s\S]*?<!-- end -->/;

test("the errors guide has the table of the contract (refresh it: npx vitest run server/test/errors-guide --update)", async () => {
  const guide = (await readFile(GUIDE, "utf8")).replaceAll("\r\n", "\n");
  expect(guide).toMatch(TABLE);
  const current = guide.replace(TABLE, `<!-- codes -->\n${renderErrorCodeTable()}\n<!-- end -->`);
  await expect(current).toMatchFileSnapshot(GUIDE);
});
