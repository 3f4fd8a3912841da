/**
 * The token of a link, from its `#token=`: it reaches no server's log, and is taken out of the address at once, so that
 * it does not stay in the browser's history either.
 */
export function takeToken(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token !== null) history.replaceState(history.state, "", location.pathname + location.search);
  return token;
}
