import { type ItemOf, makeSharedList, useChange, useList } from "../../queries.ts";

export type Workspace = ItemOf<"listWorkspaces">;

export function useWorkspaces({ withArchived = false, isEnabled = true } = {}) {
  return useList("listWorkspaces", withArchived ? { query: { include_archived: true } } : {}, {
    isPreviousShown: true,
    isInFirstDrawing: true,
    isEnabled,
  });
}

const useAllWorkspaces = makeSharedList("listWorkspaces", { query: { include_archived: true } });

/** Returns a function for the name and colour of a workspace, also an archived one. */
export function useWorkspaceNames(): (id: string) => { name: string; color: string } {
  const data = useAllWorkspaces();
  const byId = data && indexOf(data.items);
  return (id) => {
    const found = byId?.get(id);
    return { name: found?.name ?? id, color: found?.display_color ?? "#999999" };
  };
}

const indexes = new WeakMap<readonly Workspace[], ReadonlyMap<string, Workspace>>();

/** Workspaces by id. Created once for each answer, because every row of a long table uses it. */
function indexOf(items: readonly Workspace[]): ReadonlyMap<string, Workspace> {
  let index = indexes.get(items);
  if (!index) {
    index = new Map(items.map((workspace) => [workspace.id, workspace]));
    indexes.set(items, index);
  }
  return index;
}

/** Operations whose answers are stale after a change of a workspace. */
export const staleWorkspaces = ["listWorkspaces", "getWorkspace", "listWorkspaceLimits"] as const;

export const useCreateWorkspace = () =>
  useChange("createWorkspace", [...staleWorkspaces, "getSession"]);
