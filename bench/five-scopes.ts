import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { makeLocalApi } from "../server/src/cli/local-api.ts";
import { bumpChangeCounter } from "../server/src/db/change-watch.ts";
import { openDatabase } from "../server/src/db/pool.ts";
import { makeRowSigner } from "../server/src/signed-rows/row-signer.ts";
import { inSignedTransaction } from "../server/src/signed-rows/signed-transaction.ts";
import { waitForLimits } from "./many-keys.ts";
import { readConnectionString } from "./targets/database.ts";

/** Never reached, but always checked. */
const LIMIT_USD = 1_000_000;
const MEMBER = "user_benchmark0000000000000000";
const GROUP = "group_benchmark000000000000000";

/** Creates a personal key with strict limits of key, person, tag, group and workspace. Returns its secret. */
export async function createKeyInFiveScopes(dataDir: string): Promise<string> {
  const callApi = makeLocalApi(dataDir);
  const create = async <T>(path: string, body: object) => (await callApi("POST", path, body)) as T;
  const workspace = await create<{ id: string }>("/v1/admin/workspaces", { name: "Five scopes" });
  const key = await create<{ id: string; key: string }>("/v1/admin/api_keys", {
    name: "Load generator",
    workspace_id: workspace.id,
    permissions: ["write"],
    tags: { cost_center: "4711" },
  });
  const connectionString = readConnectionString(join(dataDir, "postgres"));
  const database = openDatabase({ connectionString, maxConnections: 1, onIdleError: () => {} });
  try {
    const secret = (await readFile(join(dataDir, "secret"), "utf8")).trim();
    await inSignedTransaction({ database, rows: makeRowSigner({ secret }) }, async (tx) => {
      await sql`INSERT INTO member (id, organization_id, email, name, role)
        SELECT ${MEMBER}, organization_id, 'load@example.com', 'Load', 'user' FROM workspace WHERE id = ${workspace.id}`.execute(
        tx,
      );
      await sql`INSERT INTO member_group (id, organization_id, name)
        SELECT ${GROUP}, organization_id, 'Load' FROM workspace WHERE id = ${workspace.id}`.execute(
        tx,
      );
      await sql`INSERT INTO group_member (group_id, member_id) VALUES (${GROUP}, ${MEMBER})`.execute(
        tx,
      );
      await sql`INSERT INTO group_workspace (group_id, workspace_id, role)
        VALUES (${GROUP}, ${workspace.id}, 'workspace_user')`.execute(tx);
      await sql`UPDATE api_key SET owner_member_id = ${MEMBER} WHERE id = ${key.id}`.execute(tx);
      await bumpChangeCounter(tx);
    });
    const { rows } = await sql<{ id: string }>`SELECT id FROM tag WHERE value = '4711'`.execute(
      database,
    );
    const scopes = [
      { type: "api_key", api_key_id: key.id },
      { type: "member", member_id: MEMBER },
      { type: "tag", tag_id: rows[0]?.id },
      { type: "group", group_id: GROUP },
      { type: "workspace", workspace_id: workspace.id },
    ];
    for (const scope of scopes) {
      const limit = { scope, period: "monthly", limit_usd: LIMIT_USD, enforcement: "strict" };
      await create("/v1/admin/spend_limits", limit);
    }
    await waitForLimits(database);
    return key.key;
  } finally {
    await database.destroy();
  }
}
