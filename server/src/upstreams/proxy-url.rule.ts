/** Address of a proxy, and its credential apart. */
export interface ParsedProxy {
  /** Origin without user and password. */
  url: string;
  /** Value of `proxy-authorization`. Null: the proxy needs none. */
  credential: string | null;
}

/** Parses the URL of a proxy that opens tunnels. Null: it is none. */
export function parseProxyUrl(text: string): ParsedProxy | null {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return null;
  if (url.pathname !== "/" || /[?#]/.test(text)) return null;
  const { username, password } = url;
  if (username === "" && password === "") return { url: url.origin, credential: null };
  const pair = decode(`${username}:${password}`);
  if (pair === null) return null;
  return { url: url.origin, credential: `Basic ${Buffer.from(pair).toString("base64")}` };
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
