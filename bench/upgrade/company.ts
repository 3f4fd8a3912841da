import { makeLocalApi } from "../../server/src/cli/local-api.ts";

const LIMIT_USD = 1_000_000; // never reached, but always checked

/** Creates a workspace with a monthly limit and one without, by a running server. Returns a key of each. */
export async function createCompany(dataDir: string): Promise<string[]> {
  const callApi = makeLocalApi(dataDir);
  const keys: string[] = [];
  for (const hasLimit of [true, false]) {
    const name = hasLimit ? "Limited" : "Unlimited";
    const { id } = (await callApi("POST", "/v1/admin/workspaces", { name })) as { id: string };
    if (hasLimit) {
      const limit = { workspace_id: id, monthly_limit_usd: LIMIT_USD };
      await callApi("POST", "/v1/admin/workspaces/limits", limit);
    }
    const key = { name: "Program", workspace_id: id, permissions: ["write"] };
    keys.push(((await callApi("POST", "/v1/admin/api_keys", key)) as { key: string }).key);
  }
  return keys;
}
