import type { ClientCall } from "#src/http1/client-call.ts";
import { FieldLines } from "#src/lib/field-lines.ts";
import { HeaderFields } from "#src/lib/header-fields.ts";
import { WrappedCall } from "./wrapped-call.ts";

// Requests of pages in browsers, by the Fetch standard (CORS). No cookie or other credential of the browser is in use, so a
// page has only the key that it sends itself.

/** Origins that some key allows. */
export interface PageOrigins {
  /** True if a key that works allows pages of this origin. */
  isAllowed(origin: string): boolean;
}

/** With this field, the client states that it knows the risk of a key in a page. */
const STATED = "anthropic-dangerous-direct-browser-access";

/** Fields about the page, which are not for the upstream. With an origin, it would apply rules of its own for pages. */
const pageFields: ReadonlySet<string> = new Set(["origin", "referer", STATED]);
const PAGE_START = "sec-";

const rateParts = ["limit", "remaining", "reset"] as const;

/** Response fields that a page can read: those that the SDKs of both APIs use. */
const EXPOSED = [
  "request-id",
  "x-request-id",
  "bursar-request-id",
  "anthropic-organization-id",
  "anthropic-workspace-id",
  "retry-after",
  "retry-after-ms",
  "x-should-retry",
  ...["requests", "tokens", "input-tokens", "output-tokens"].flatMap((unit) =>
    rateParts.map((part) => `anthropic-ratelimit-${unit}-${part}`),
  ),
  ...["requests", "tokens"].flatMap((unit) =>
    rateParts.map((part) => `x-ratelimit-${part}-${unit}`),
  ),
].join(", ");

/** Returns the call of a page without fields about the page. Its response can be read by pages of allowed origins. */
export function makeBrowserCall(
  call: ClientCall,
  origin: string,
  origins: PageOrigins,
): ClientCall {
  return new BrowserCall(call, origin, origins);
}

class BrowserCall extends WrappedCall implements ClientCall {
  readonly #page: ClientCall["page"];
  readonly #origins: PageOrigins;

  constructor(call: ClientCall, origin: string, origins: PageOrigins) {
    const { method, target, fields } = call;
    super(call, { method, target, fields: withoutPage(fields) });
    this.#origins = origins;
    this.#page = isSameOrigin(origin, fields)
      ? null
      : { origin, isDirectStated: fields.find(STATED) === "true" };
  }

  override get page(): ClientCall["page"] {
    return this.#page;
  }

  get adaptBody(): ClientCall["adaptBody"] {
    return this.inner.adaptBody;
  }

  get isBodyOwned(): boolean {
    return this.inner.isBodyOwned;
  }

  override writeHead(status: number, headers: FieldLines): void {
    if (this.#page !== null) addPageHeaders(headers, this.#page.origin, this.#origins);
    this.inner.writeHead(status, headers);
  }
}

/**
 * True for a page of this server, such as the console. The browser sets the first field itself, but not on a plain HTTP
 * address. A proxy can change the host.
 */
function isSameOrigin(origin: string, fields: HeaderFields): boolean {
  if (fields.find("sec-fetch-site") === "same-origin") return true;
  return /^https?:\/\/(.+)$/.exec(origin)?.[1] === fields.find("host");
}

function addPageHeaders(headers: FieldLines, origin: string, origins: PageOrigins): void {
  headers.add("vary", "origin");
  if (!origins.isAllowed(origin)) return;
  headers.add("access-control-allow-origin", origin);
  headers.add("access-control-expose-headers", EXPOSED);
}

function withoutPage(fields: HeaderFields): HeaderFields {
  const list: string[] = [];
  for (let i = 0; i < fields.count; i++) {
    const name = fields.nameOf(i);
    if (!pageFields.has(name) && !name.startsWith(PAGE_START)) list.push(name, fields.valueOf(i));
  }
  return HeaderFields.fromCheckedList(list);
}

/** Time for which a browser remembers the answer, seconds. Each request is checked by its own key nevertheless. */
const PREFLIGHT_SECONDS = 600;
const MAX_NAMES_CHARACTERS = 2_048;
/** Names of fields, with commas between them. */
const NAMES = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*,[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+)*$/;

/** True for the question of a browser whether a page may send a request. */
export function isPreflight({ method, fields }: ClientCall): boolean {
  return method === "OPTIONS" && fields.find("access-control-request-method") !== undefined;
}

/** Answers from memory. The key of the request is unknown yet, so each origin that some key allows is allowed. */
export function answerPreflight(call: ClientCall, origin: string, origins: PageOrigins): void {
  const isAllowed = origins.isAllowed(origin);
  const headers = FieldLines.fromList(["vary", "origin, access-control-request-headers"]);
  if (isAllowed) {
    headers.add("access-control-allow-origin", origin);
    headers.add("access-control-allow-methods", "GET, POST, DELETE");
    const names = call.fields.find("access-control-request-headers") ?? "";
    if (names.length <= MAX_NAMES_CHARACTERS && NAMES.test(names)) {
      headers.add("access-control-allow-headers", names);
    }
    if (call.fields.find("access-control-request-private-network") === "true") {
      headers.add("access-control-allow-private-network", "true");
    }
    headers.add("access-control-max-age", String(PREFLIGHT_SECONDS));
  }
  if (!call.isBodyComplete) call.closeAfterwards();
  if (isAllowed) {
    call.writeHead(204, headers);
    call.end();
    return;
  }
  const text = "No API key of this server allows pages of this origin.\n";
  headers.add("content-type", "text/plain");
  headers.add("content-length", String(text.length));
  call.writeHead(403, headers);
  call.end(text);
}
