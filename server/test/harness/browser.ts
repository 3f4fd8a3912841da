import type { FastifyInstance } from "fastify";
import type { Answer } from "./admin.ts";
import { checkRefusal } from "./check-refusal.ts";
import { CONSOLE_ORIGIN, consoleHeaders } from "./members.ts";

// A browser at the console. The browser stores cookies and sends them back.

export interface SetCookie {
  name: string;
  value: string;
  /** Attributes as sent, such as `HttpOnly` and `Path=/`, sorted. */
  attributes: string[];
}

export interface Browser {
  /** Cookies by name. */
  cookies: Map<string, string>;
  /** Cookies that the last response set. */
  lastSetCookies: SetCookie[];
  get<Body>(url: string, headers?: Record<string, string>): Promise<Answer<Body>>;
  post<Body>(url: string, body?: object, headers?: Record<string, string>): Promise<Answer<Body>>;
  remove<Body>(url: string): Promise<Answer<Body>>;
}

export interface BrowserOptions {
  origin?: string;
  remoteAddress?: string;
  userAgent?: string;
}

export function openBrowser(app: FastifyInstance, options: BrowserOptions = {}): Browser {
  const { origin = CONSOLE_ORIGIN, remoteAddress = "192.0.2.7", userAgent = FIREFOX } = options;
  const cookies = new Map<string, string>();
  async function send<Body>(
    method: "GET" | "POST" | "DELETE",
    url: string,
    { body, headers }: { body?: object; headers?: Record<string, string> } = {},
  ): Promise<Answer<Body>> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await app.inject({
      method,
      url,
      remoteAddress,
      ...(body !== undefined && { payload: body }),
      headers: {
        ...consoleHeaders(cookie === "" ? undefined : cookie, origin, method !== "GET"),
        "user-agent": userAgent,
        ...headers,
      },
    });
    browser.lastSetCookies = [response.headers["set-cookie"] ?? []].flat().map(parseSetCookie);
    for (const { name, value, attributes } of browser.lastSetCookies) {
      if (attributes.includes("Max-Age=0")) cookies.delete(name);
      else cookies.set(name, value);
    }
    const parsed: unknown = response.payload === "" ? null : JSON.parse(response.payload);
    if (response.statusCode >= 400) checkRefusal(response.statusCode, parsed);
    return {
      status: response.statusCode,
      body: parsed as Body,
      error: { type: "", message: "", ...(parsed as { error?: Answer["error"] } | null)?.error },
      headers: response.headers as Answer["headers"],
      text: response.payload,
    };
  }
  const browser: Browser = {
    cookies,
    lastSetCookies: [],
    get: (url, headers) => send("GET", url, { ...(headers && { headers }) }),
    post: (url, body, headers) =>
      send("POST", url, { ...(body && { body }), ...(headers && { headers }) }),
    remove: (url) => send("DELETE", url),
  };
  return browser;
}

export const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

function parseSetCookie(line: string): SetCookie {
  const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
  const at = pair.indexOf("=");
  return { name: pair.slice(0, at), value: pair.slice(at + 1), attributes: attributes.sort() };
}
