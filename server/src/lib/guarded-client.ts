import { lookup as lookUpName } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { Client, type Dispatcher } from "undici";
import {
  type AllowedTargets,
  classifyAddress,
  isAllowedAddress,
  parseAllowedTargets,
} from "./target-address.ts";

// Client for user-defined addresses. The client resolves the name itself, checks every address, and connects only to
// these. So a later change of the name has no effect. Redirects are not followed, because their target would be
// unchecked.

export interface GuardedRequest {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string | Buffer;
}

/** A request whose whole response is read. */
export interface GuardedFetch {
  method: "GET" | "POST";
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string | Buffer | null;
  /** A larger response counts as failed. */
  maxBytes: number;
}

/** `refused`: nothing was sent, because of the address. `failed`: the request may or may not have arrived. */
export type GuardedAnswer =
  | {
      kind: "answered";
      status: number;
      retryAfter: string | null;
      contentType: string | null;
      text: string;
    }
  | { kind: "refused"; reason: string }
  | { kind: "failed"; reason: string };

export interface GuardedClient {
  /** Sends one POST. Never throws for failures of the receiver or the network. */
  post(request: GuardedRequest): Promise<GuardedAnswer>;
  /** Sends one request and reads its whole response. Never throws for failures of the server or the network. */
  fetch(request: GuardedFetch): Promise<GuardedAnswer>;
  /**
   * Finds the fault of an address before its name is resolved, or null. The name's addresses are checked with each
   * request.
   */
  findMistake(url: string): string | null;
  /** True if `allowed` has the host of this URL, as a name or as an address. */
  isListed(url: string): boolean;
}

export interface FoundAddress {
  address: string;
  family: number;
}
/** Resolves all addresses of a name. Rejects without any. */
export type Resolve = (hostname: string) => Promise<FoundAddress[]>;

export interface GuardedClientOptions {
  /** Addresses, CIDR ranges and host names that may be private and may use http. */
  allowed: readonly string[];
  resolve?: Resolve;
  /** Limit for the whole call: name lookup, connection, request and response, milliseconds. */
  timeoutMs?: number;
  /** PEM of trusted certificate authorities, instead of Node's. */
  ca?: string;
}

const TIMEOUT_MS = 10_000;
/** Bytes read of a response, enough to see an error. */
const MAX_ANSWER_BYTES = 4_096;

export function makeGuardedClient(options: GuardedClientOptions): GuardedClient {
  const allowed = parseAllowedTargets(options.allowed);
  const resolve = options.resolve ?? ((hostname) => lookUpName(hostname, { all: true }));
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const run = async (request: AnyRequest): Promise<GuardedAnswer> => {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const target = await findTarget({ allowed, resolve, signal }, request.url);
      if ("refusal" in target) return { kind: "refused", reason: target.refusal };
      return await send(target, request, { signal, timeoutMs, ca: options.ca });
    } catch (error) {
      if (signal.aborted) {
        return { kind: "failed", reason: `No response within ${timeoutMs / 1_000} s.` };
      }
      return { kind: "failed", reason: explain(error) };
    }
  };
  return {
    post: (request) =>
      run({ ...request, method: "POST", maxBytes: MAX_ANSWER_BYTES, isBeginningEnough: true }),
    fetch: (request) => run({ ...request, isBeginningEnough: false }),
    findMistake: (text) => findUrlMistake(text) ?? findPlainMistake(allowed, new URL(text)),
    isListed: (text) => isListed(allowed, nameOf(new URL(text))),
  };
}

/** Checks IP addresses and the protocol without a name lookup. */
function findPlainMistake(allowed: AllowedTargets, url: URL): string | null {
  const name = nameOf(url);
  const isAddress = isIP(name) !== 0;
  const isOpened = isListed(allowed, name);
  const kind = isAddress ? classifyAddress(name) : "public";
  if (kind === "metadata") return "this is the metadata service of a cloud, which has credentials";
  if (kind === "private" && !isOpened) {
    return "this is in a private network, which BURSAR_ALLOW_PRIVATE_TARGETS does not allow";
  }
  const mayBeOpened = isOpened || (!isAddress && allowed.ranges.length > 0);
  return url.protocol === "http:" && !mayBeOpened ? "expected an https URL" : null;
}

function isListed(allowed: AllowedTargets, name: string): boolean {
  return allowed.hosts.has(name) || (isIP(name) !== 0 && isAllowedAddress(allowed, name));
}

/** Host name for the lookup: lower case, IPv6 without brackets. */
function nameOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

function findUrlMistake(text: string): string | null {
  const url = URL.parse(text);
  if (url === null) return "expected a URL such as https://example.com/alerts";
  if (url.protocol !== "https:" && url.protocol !== "http:") return "expected an https URL";
  if (url.username !== "" || url.password !== "") {
    return "a user name and a password are not allowed";
  }
  return url.hash === "" ? null : "expected no fragment (#…)";
}

interface AnyRequest extends GuardedFetch {
  /** True: the rest of a response above `maxBytes` is not read. */
  isBeginningEnough: boolean;
}

interface Target {
  url: URL;
  addresses: FoundAddress[];
}

async function findTarget(
  { allowed, resolve, signal }: { allowed: AllowedTargets; resolve: Resolve; signal: AbortSignal },
  text: string,
): Promise<Target | { refusal: string }> {
  const mistake = findUrlMistake(text);
  if (mistake !== null) return { refusal: `The address is invalid: ${mistake}.` };
  const url = new URL(text);
  const name = nameOf(url);
  const family = isIP(name);
  const addresses =
    family === 0 ? await waitUntilAborted(resolve(name), signal) : [{ address: name, family }];
  if (addresses.length === 0) return { refusal: `${name} has no address.` };
  const isNamed = allowed.hosts.has(name);
  let isAllowed = true;
  for (const { address } of addresses) {
    const kind = classifyAddress(address);
    if (kind === "metadata")
      return { refusal: `${name} is the metadata service of a cloud, which has credentials.` };
    const isOpened = isNamed || isAllowedAddress(allowed, address);
    if (kind === "private" && !isOpened) {
      return {
        refusal: `${name} is in a private network, which BURSAR_ALLOW_PRIVATE_TARGETS does not allow.`,
      };
    }
    isAllowed &&= isOpened;
  }
  if (url.protocol === "http:" && !isAllowed) {
    return { refusal: "The address is not https, so the message would be sent unencrypted." };
  }
  return { url, addresses };
}

/** Rejects when the signal aborts, because a name lookup cannot be canceled. */
async function waitUntilAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const stop = () => late.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  late.promise.catch(() => undefined);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function send(
  { url, addresses }: Target,
  { method, headers, body, maxBytes, isBeginningEnough }: AnyRequest,
  { signal, timeoutMs, ca }: { signal: AbortSignal; timeoutMs: number; ca: string | undefined },
): Promise<GuardedAnswer> {
  // The name stays in the URL for TLS and the Host header. Only its addresses are fixed.
  const client = new Client(url.origin, {
    connect: {
      lookup: makeFixedLookup(addresses),
      autoSelectFamily: true,
      timeout: timeoutMs,
      ...(ca !== undefined && { ca }),
    },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    allowH2: false,
  });
  try {
    const answer = await client.request({
      method,
      path: url.pathname + url.search,
      headers: { "user-agent": "bursar", ...headers },
      body,
      signal,
    });
    const { text, isWhole } = await readBeginning(answer.body, maxBytes);
    if (!isWhole && !isBeginningEnough) {
      return { kind: "failed", reason: `The response is larger than ${maxBytes} bytes.` };
    }
    const { statusCode: status, headers: received } = answer;
    const headerOf = (name: string) => {
      const value = received[name];
      return typeof value === "string" ? value : null;
    };
    return {
      kind: "answered",
      status,
      retryAfter: headerOf("retry-after"),
      contentType: headerOf("content-type"),
      text,
    };
  } finally {
    // The rest of the response is discarded.
    await client.destroy().catch(() => undefined);
  }
}

/** Lookup function for Node that returns fixed addresses. */
function makeFixedLookup(addresses: readonly FoundAddress[]): LookupFunction {
  return (_, options, done) => {
    const [first] = addresses;
    if (options.all) done(null, [...addresses]);
    else done(null, first?.address ?? "", first?.family ?? 0);
  };
}

async function readBeginning(
  body: Dispatcher.ResponseData["body"],
  maxBytes: number,
): Promise<{ text: string; isWhole: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    const bytes = chunk as Buffer;
    chunks.push(bytes.subarray(0, maxBytes - size));
    size += bytes.length;
    if (size > maxBytes) break;
  }
  return { text: Buffer.concat(chunks).toString("utf8"), isWhole: size <= maxBytes };
}

const untrusted = "Its certificate is not trusted by this server.";
const reasons: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_HAS_EXPIRED: "Its certificate has expired.",
  ERR_TLS_CERT_ALTNAME_INVALID: "Its certificate is for another name.",
  EHOSTUNREACH: "No route to this address.",
  ENETUNREACH: "No route to this address.",
  ENOTFOUND: "The name does not exist.",
  EAI_AGAIN: "The name could not be looked up.",
  ECONNREFUSED: "The connection was refused.",
  ECONNRESET: "The connection was reset.",
  UND_ERR_SOCKET: "The connection was reset.",
  UND_ERR_CONNECT_TIMEOUT: "No connection in time.",
  UND_ERR_HEADERS_TIMEOUT: "No response in time.",
  UND_ERR_BODY_TIMEOUT: "The response did not end in time.",
};

/**
 * Explains an error in fixed words, because the library's message may contain the address, whose path can be secret.
 */
function explain(error: unknown): string {
  const codes = [error, ...((error as AggregateError | null)?.errors ?? [])].map(
    (each: unknown) => (each as { code?: unknown } | null)?.code,
  );
  const code = codes.find((each) => typeof each === "string");
  if (typeof code !== "string") return "The message could not be sent.";
  return reasons[code] ?? `The message could not be sent (${code}).`;
}
