import type { ReportReader } from "#src/db/reports-database.ts";
import type { Caller, Origin } from "#src/domain/caller.ts";

/** Context of a use case besides its input: caller and origin. */
export interface Call {
  caller: Caller;
  origin: Origin;
}

/** Context of a report, which can be read from a replica. Rights and limits are read from the primary. */
export interface ReportCall extends Call {
  reader: ReportReader;
}

/** Browser data, only for use cases of sign-in: the cookies. */
export interface Browser {
  /** `Cookie` header. Empty: not sent. */
  cookies: string;
  /** `Origin` header. On a change it is checked to be one of this server. */
  origin: string | null;
  /** Adds lines for `Set-Cookie` to the response. */
  setCookies(lines: readonly string[]): void;
}

export interface BrowserCall extends Call {
  browser: Browser;
}

/** Context of a public route, for the console before sign-in. */
export interface PublicCall {
  origin: Origin;
  browser: Browser;
}
