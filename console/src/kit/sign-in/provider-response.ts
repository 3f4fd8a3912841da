import { call } from "../../api-client.ts";

const NEXT = "bursar-next";

/** Leaves the console for the provider. `next`: the page to open afterwards, in this tab. */
export async function leaveForProvider(
  directoryId: string,
  { next, isAgain }: { next: string | null; isAgain: boolean },
): Promise<void> {
  const begun = await call("beginDirectorySignIn", {
    params: { directory_id: directoryId },
    body: { sign_in_again: isAgain },
  });
  if (next === null) sessionStorage.removeItem(NEXT);
  else sessionStorage.setItem(NEXT, next);
  location.assign(begun.authorization_url);
}

/** Returns the page to open: a path of this console, never another site. */
export function consumeNext(): string {
  const next = sessionStorage.getItem(NEXT) ?? "/";
  sessionStorage.removeItem(NEXT);
  return /^\/(?![/\\])/.test(next) ? next : "/";
}

/** Returns the provider's response, and removes it from the address, so that the browser's history does not store it. */
export function consumeResponse(): string {
  const response = location.search.slice(1);
  history.replaceState(history.state, "", location.pathname);
  return response;
}
