import { useEffect, useState } from "react";

/**
 * Returns the token of a link, from its `#token=`, which browsers do not send to servers. The token is removed from the
 * address at once, so that the browser's history does not store it.
 */
export function consumeToken(): string | null {
  const token = readToken();
  if (token !== null) history.replaceState(history.state, "", location.pathname + location.search);
  return token;
}

/** Token of the opened link. A link to the page that is already open reloads the page. */
export function useOneTimeToken(): string | null {
  const [token] = useState(consumeToken);
  useEffect(() => {
    const onChange = () => {
      if (readToken() !== null) location.reload();
    };
    addEventListener("hashchange", onChange);
    return () => removeEventListener("hashchange", onChange);
  }, []);
  return token;
}

function readToken(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get("token");
}
