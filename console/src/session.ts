import {
  type Action,
  inheritedRole,
  isWorkspaceAction,
  reachOfRole,
} from "@bursar/contract/permissions.ts";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { type Answer, ApiError, call } from "./api-client.ts";
import { queryClient } from "./queries.ts";
import { requestSignIn } from "./questions.ts";

/** Who is signed in, and what the server lets them do. The console only hides what would be refused. */
export type Session = Answer<"getSession">;

const FRESH_MS = 60_000;

async function loadSession(): Promise<Session | null> {
  try {
    return await call("getSession", {});
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    return (await requestSignIn(false)) ? await call("getSession", {}) : null;
  }
}

/** The session, or null where nobody is signed in. */
export function useSessionQuery(): UseQueryResult<Session | null, Error> {
  return useQuery({ queryKey: ["getSession"], queryFn: loadSession, staleTime: FRESH_MS });
}

/** The session inside the shell, where somebody is signed in. */
export function useSession(): Session {
  const { data } = useSessionQuery();
  if (!data) throw new Error("no member is signed in");
  return data;
}

/** True where the signed-in person may do this: in the organization, in that workspace, or in any. */
export function useMay(): (action: Action, workspaceId?: string) => boolean {
  const session = useSession();
  return (action, workspaceId) =>
    session.permissions.includes(action) ||
    session.workspaces.some(
      (workspace) =>
        (workspaceId === undefined || workspace.id === workspaceId) &&
        workspace.permissions.includes(action),
    ) ||
    (workspaceId !== undefined &&
      session.workspaces.every(({ id }) => id !== workspaceId) &&
      mayInOtherWorkspace(session, action));
}

/** True where the signed-in person may do this in every workspace and to the organization, by the role there. */
export function useMayEverywhere(): (action: Action) => boolean {
  const session = useSession();
  return (action) => mayEverywhere(session, action);
}

function mayEverywhere(session: Session, action: Action): boolean {
  const role = inheritedRole(session.member.role);
  return role !== null && isWorkspaceAction(action) && reachOfRole(role, action) !== null;
}

/** In a workspace that the session does not list: it leaves out the last of very many, and those made since. */
function mayInOtherWorkspace(session: Session, action: Action): boolean {
  // What is left open here, the server decides.
  return mayEverywhere(session, action) || session.has_more_workspaces;
}

/** Follows a sign-in: what was known of somebody else is forgotten, and the pages are drawn for who is there now. */
export async function startSession(): Promise<void> {
  const session = await loadSession();
  forgetData();
  await keepSession(session);
}

/** Ends the session; the page then leads to the sign-in. */
export async function signOut(): Promise<void> {
  await call("signOut", {}).catch(() => undefined);
  await keepSession(null);
  // Once the pages that showed it are gone.
  setTimeout(forgetData);
}

/** An answer that is still to come was asked for before, and says who was there then. */
async function keepSession(session: Session | null): Promise<void> {
  await queryClient.cancelQueries({ queryKey: ["getSession"] });
  queryClient.setQueryData(["getSession"], session);
}

/** Not what is on the screen: its queries would lose their place in the cache, and never hear of an answer again. */
function forgetData(): void {
  queryClient.removeQueries({
    type: "inactive",
    predicate: ({ queryKey }) => queryKey[0] !== "getSession",
  });
}
