import {
  type Action,
  findInheritedRole,
  findReach,
  isWorkspaceAction,
} from "@bursar/contract/permissions.ts";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { createContext, use } from "react";
import { type Answer, ApiError, call, takeEarlyAnswer } from "./api-client.ts";
import { waitForServer } from "./connection.ts";
import { queryClient } from "./queries.ts";
import { requestSignIn } from "./questions.ts";
import { setTimeDisplay } from "./ui/format.ts";

/** The signed-in member with their rights. The console only hides actions that the server would refuse. */
export type Session = Answer<"getSession">;

const FRESH_MS = 60_000;

async function loadSession(): Promise<Session | null> {
  try {
    return showTimesOf(await call("getSession", {}));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    return (await requestSignIn(false)) ? showTimesOf(await call("getSession", {})) : null;
  }
}

function takeEarlySession(): Session | undefined {
  const session = takeEarlyAnswer("getSession", {});
  return session && showTimesOf(session);
}

/** Shows later times in the zone and format of the member. */
function showTimesOf(session: Session): Session {
  const { time_zone, date_format } = session.preferences;
  setTimeDisplay({ timeZone: time_zone, dateFormat: date_format });
  return session;
}

/** The session. Null: no member is signed in. */
export function useSessionQuery(): UseQueryResult<Session | null, Error> {
  return useQuery<Session | null, Error>({
    queryKey: ["getSession"],
    queryFn: loadSession,
    initialData: takeEarlySession,
    staleTime: FRESH_MS,
  });
}

/** Session of the shell. Hundreds of components read it, and a query for each is a tenth of the first drawing. */
export const SessionContext = createContext<Session | null>(null);

/** The session, for components inside the shell. Others do not follow its changes. */
export function useSession(): Session {
  const data = use(SessionContext) ?? queryClient.getQueryData<Session>(["getSession"]);
  if (!data) throw new Error("no member is signed in");
  return data;
}

/** True if a step-up of this session lasts for the next milliseconds, by this device's clock. */
export function hasStepUpFor(durationMs: number): boolean {
  const until = queryClient.getQueryData<Session>(["getSession"])?.stepped_up_until ?? null;
  return until !== null && Date.parse(until) > Date.now() + durationMs;
}

/** Returns a check of the member's rights in the organization, and in one workspace or in any. */
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

/** Returns a check of the rights that the member's organization role has in every workspace. */
export function useMayEverywhere(): (action: Action) => boolean {
  const session = useSession();
  return (action) => mayEverywhere(session, action);
}

function mayEverywhere(session: Session, action: Action): boolean {
  const role = findInheritedRole(session.member.role);
  return role !== null && isWorkspaceAction(action) && findReach(role, action) !== null;
}

/** Rights in a workspace that the session does not list: a new one, or one beyond the maximum of the list. */
function mayInOtherWorkspace(session: Session, action: Action): boolean {
  // If the list is incomplete, the answer is unknown here. The server decides.
  return mayEverywhere(session, action) || session.has_more_workspaces;
}

/** Runs after a sign-in: clears the cached data of the previous session and renders the pages again. */
export async function startSession(): Promise<void> {
  const session = await loadSession();
  clearData();
  await storeSession(session);
}

/**
 * Returns the session after a sign-in that a dialog asked for. Null: another member signed in, for example with their own
 * passkey. The page then loads again.
 */
export async function continueSession(memberId: string): Promise<Session | null> {
  const session = await call("getSession", {});
  if (session.member.id === memberId) return session;
  location.reload();
  return null;
}

/**
 * Leaves for the sign-in, which has a document of its own. Waits while the server is away. `next`: the address to open
 * after the sign-in, or null for the overview.
 */
export async function openSignIn(next: string | null): Promise<void> {
  await waitForServer();
  location.replace(next === null ? "/login" : `/login?next=${encodeURIComponent(next)}`);
}

/** Ends the session. The console then opens the sign-in page. */
export async function signOut(): Promise<void> {
  await call("signOut", {}).catch(() => undefined);
  await forgetSession();
}

/** Forgets a session that the server has ended. The console then opens the sign-in page. */
export async function forgetSession(): Promise<void> {
  await storeSession(null);
  // Runs later, when the pages that show the data are unmounted.
  setTimeout(clearData);
}

/** Cancels a running query first, because its answer would restore the old session. */
async function storeSession(session: Session | null): Promise<void> {
  await queryClient.cancelQueries({ queryKey: ["getSession"] });
  queryClient.setQueryData(["getSession"], session);
}

/** Removes inactive queries only. A mounted component would never get the answer of a removed query. */
function clearData(): void {
  queryClient.removeQueries({
    type: "inactive",
    predicate: ({ queryKey }) => queryKey[0] !== "getSession",
  });
}
