import type { Caller, Origin } from "#src/domain/caller.ts";

/** What a use case knows of the request besides its input: who is asking, and from where. */
export interface Call {
  caller: Caller;
  origin: Origin;
}

/** What only the use cases of signing in look at: the cookies of the browser. */
export interface Browser {
  /** The `Cookie` header; empty where none was sent. */
  cookies: string;
  /** The `Origin` header. On a change it has been checked: it is one of this server's own. */
  origin: string | null;
  /** Lines for `Set-Cookie` of the answer. */
  setCookies(lines: readonly string[]): void;
}

export interface BrowserCall extends Call {
  browser: Browser;
}

/** The same of a route that is open to everybody: the console's own, before somebody is signed in. */
export interface PublicCall {
  origin: Origin;
  browser: Browser;
}
