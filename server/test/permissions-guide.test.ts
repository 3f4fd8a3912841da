import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  renderPermissionTables,
  renderRankTable,
  renderRoleTable,
  renderScopeTable,
} from "@bursar/contract/permission-words.ts";
import { expect, test } from "vitest";

const GUIDE = join(import.meta.dirname, "../../docs/guides/permissions.md");

test("the guide has the permission table of the server (refresh: npx vitest run server/test/permissions-guide --update)", async () => {
  const tables = {
    roles: renderRoleTable(),
    ...renderPermissionTables(),
    ranks: renderRankTable(),
    scopes: renderScopeTable(),
  };
  let guide = (await readFile(GUIDE, "utf8")).replaceAll("\r\n", "\n");
  for (const [name, table] of Object.entries(tables)) {
    const place = new RegExp(`<!-- ${name} -->\n[^]*?<!-- end -->`);
    expect(guide).toMatch(place);
    guide = guide.replace(place, `<!-- ${name} -->\n${table}\n<!-- end -->`);
  }
  await expect(guide).toMatchFileSnapshot(GUIDE);
});
