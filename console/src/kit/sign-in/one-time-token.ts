import { useEffect, useState } from "react";

/**
 * The token of a link, from its `#token=`: it reaches no server's log, and is taken out of the address at once, so that
 * it does not stay in the browser's history either.
 */
export function takeToken(): string | null {
  const token = readToken();
  if (token !== null) history.replaceState(history.state, "", location.pathname + location.search);
  return token;
}

/** The token of the link that led here. One that is opened where its page is open already starts that page anew. */
export function useOneTimeToken(): string | null {
  const [token] = useState(takeToken);
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
