import { startAdmin } from "./admin.ts";
import { test as base } from "./upstream-test.ts";

/** Tests of the Admin API. All tests of a file share the server and its database. */
export const serverTest = base.extend("h", { scope: "file" }, async ({}, { onCleanup }) => {
  const h = await startAdmin();
  onCleanup(() => h.close());
  return h;
});

/** The same, with a new organization for each test that uses `org`. */
export const test = serverTest
  .extend("org", ({ h }) => h.organization())
  /** A workspace of `org`. */
  .extend("workspaceId", async ({ org }) => (await org.admin.createWorkspace()).id)
  /** A key in that workspace. */
  .extend(
    "apiKeyId",
    async ({ org, workspaceId }) => (await org.admin.createApiKey(workspaceId)).id,
  );
