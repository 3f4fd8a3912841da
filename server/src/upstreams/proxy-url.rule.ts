import { decodePercent } from "#src/lib/decode-percent.ts";

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
  const pair = decodePercent(`${username}:${password}`);
  if (pair === null) return null;
  return { url: url.origin, credential: `Basic ${Buffer.from(pair).toString("base64")}` };
}

/** Proxy of the environment: `HTTPS_PROXY`, and hosts without it: `NO_PROXY`. */
export interface EnvironmentProxy {
  proxy: ParsedProxy;
  exceptions: readonly string[];
}

/** Returns the proxy of the environment for a URL. Null: the URL needs none. */
export function findEnvironmentProxy(
  environment: EnvironmentProxy | null,
  url: string,
): ParsedProxy | null {
  if (environment === null) return null;
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== "https:") return null;
  const isExcepted = environment.exceptions.some((text) =>
    isNamed(text.toLowerCase(), { hostname, port: port || "443" }),
  );
  return isExcepted ? null : environment.proxy;
}

/** True if an entry of `NO_PROXY` names a host: `*`, a name with its subdomains, or one of these with a port. */
function isNamed(entry: string, { hostname, port }: { hostname: string; port: string }): boolean {
  if (entry === "*") return true;
  const [, text = entry, onPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (onPort !== undefined && onPort !== port) return false;
  const name = text.replace(/^\*?\./, "");
  return name !== "" && (hostname === name || hostname.endsWith(`.${name}`));
}
