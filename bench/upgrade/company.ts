import { makeLocalApi } from "../../server/src/cli/local-api.ts";

const LIMIT_USD = 1_000_000; // never reached, but always checked

export interface Company {
  /** Key of a workspace with a limit that is never reached, and key of one without. */
  keys: string[];
  /** A workspace with a low strict limit. */
  limited: { workspaceId: string; key: string };
}

/** Creates workspaces by a running server. */
export async function createCompany(dataDir: string): Promise<Company> {
  const distant = await createWorkspace(dataDir, "Distant limit");
  await setLimit(dataDir, distant.workspaceId, LIMIT_USD);
  const free = await createWorkspace(dataDir, "No limit");
  const limited = await createWorkspace(dataDir, "Low limit");
  return { keys: [distant.key, free.key], limited };
}

/** Sets the strict limit of a workspace in each month, US dollars. */
export async function setLimit(dataDir: string, workspaceId: string, limitUsd: number) {
  const limit = { workspace_id: workspaceId, monthly_limit_usd: limitUsd };
  await makeLocalApi(dataDir)("POST", "/v1/admin/workspaces/limits", limit);
}

async function createWorkspace(dataDir: string, name: string): Promise<Company["limited"]> {
  const callApi = makeLocalApi(dataDir);
  const workspace = (await callApi("POST", "/v1/admin/workspaces", { name })) as { id: string };
  const fields = { name: "Program", workspace_id: workspace.id, permissions: ["write"] };
  const { key } = (await callApi("POST", "/v1/admin/api_keys", fields)) as { key: string };
  return { workspaceId: workspace.id, key };
}
