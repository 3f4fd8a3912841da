const NEXT = "bursar-next";

/** Stores the page to open after the sign-in at a provider, for this tab. */
export function saveNext(next: string | null): void {
  if (next === null) sessionStorage.removeItem(NEXT);
  else sessionStorage.setItem(NEXT, next);
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
