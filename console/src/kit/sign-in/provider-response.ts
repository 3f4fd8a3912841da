import { call } from "../../api-client.ts";

const NEXT = "bursar-next";
/** Stands for no page: the tab was opened for the sign-in alone. No path begins so. */
const NO_PAGE = "none";
/** Channel between tabs. Its messages have no content. */
const CHANNEL = "bursar-sign-in";

interface LeaveOptions {
  /** Asks the provider for a new proof of identity. */
  isAgain: boolean;
}

/** Leaves the console for the provider. `next`: the page to open afterwards, or null as in `consumeNext`. */
export async function leaveForProvider(
  directoryId: string,
  { next, isAgain }: LeaveOptions & { next: string | null },
): Promise<void> {
  const url = await beginSignIn(directoryId, isAgain);
  sessionStorage.setItem(NEXT, next ?? NO_PAGE);
  location.assign(url);
}

/**
 * Opens the provider in a tab of its own, so that this page keeps its input. Call it in the handler of a click. Throws if the
 * browser opens no tab.
 */
export async function openProvider(directoryId: string, { isAgain }: LeaveOptions): Promise<void> {
  const tab = window.open("", "_blank");
  if (tab === null) {
    throw new Error("The browser opened no tab. Allow pop-ups for this site, and try again.");
  }
  try {
    const url = await beginSignIn(directoryId, isAgain);
    tab.sessionStorage.setItem(NEXT, NO_PAGE);
    tab.opener = null;
    tab.location.replace(url);
  } catch (error) {
    tab.close();
    throw error;
  }
}

async function beginSignIn(directoryId: string, isAgain: boolean): Promise<string> {
  const begun = await call("beginDirectorySignIn", {
    params: { directory_id: directoryId },
    body: { sign_in_again: isAgain },
  });
  return begun.authorization_url;
}

/** Returns the page to open: a path of this console, never another site. Null: this tab was opened for the sign-in alone. */
export function consumeNext(): string | null {
  const next = sessionStorage.getItem(NEXT) ?? "/";
  sessionStorage.removeItem(NEXT);
  if (next === NO_PAGE) return null;
  return /^\/(?![/\\])/.test(next) ? next : "/";
}

/** Tells the other tabs of this browser about a completed sign-in. */
export function reportSignIn(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(null);
  channel.close();
}

/** Calls the listener after a sign-in in another tab, until the returned function is called. */
export function watchSignIns(listener: () => void): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", listener);
  return () => channel.close();
}

/** Returns the provider's response, and removes it from the address, so that the browser's history does not store it. */
export function consumeResponse(): string {
  const response = location.search.slice(1);
  history.replaceState(history.state, "", location.pathname);
  return response;
}
