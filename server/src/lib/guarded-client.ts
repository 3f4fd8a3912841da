import { lookup as lookUpName } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { Client, type Dispatcher } from "undici";
import {
  type AllowedTargets,
  classifyAddress,
  isAllowedAddress,
  parseAllowedTargets,
} from "./target-address.ts";

// The one way out to an address that somebody typed in. It resolves the name itself, judges every address that comes back,
// and connects to those and no other, so that a name which means something else a moment later changes nothing.
// A redirect is not followed: it would be a second address that nobody judged.

export interface GuardedRequest {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** `refused`: nothing was sent, because of where it would have gone. `failed`: it may or may not have arrived. */
export type GuardedAnswer =
  | { kind: "answered"; status: number; retryAfter: string | null; text: string }
  | { kind: "refused"; reason: string }
  | { kind: "failed"; reason: string };

export interface GuardedClient {
  /** Sends one POST. Never throws for what the other side, or the way to it, does. */
  post(request: GuardedRequest): Promise<GuardedAnswer>;
  /**
   * What can be said against an address before its name is looked up, or null. A name is judged whenever something is
   * sent to it.
   */
  findMistake(url: string): string | null;
}

export interface FoundAddress {
  address: string;
  family: number;
}
/** All addresses of a name. Rejects where there are none. */
export type Resolve = (hostname: string) => Promise<FoundAddress[]>;

export interface GuardedClientOptions {
  /** Addresses, CIDR ranges and host names that may be private, and may be spoken to in the clear. */
  allowed: readonly string[];
  resolve?: Resolve;
  /** Of everything: finding the address, connecting, sending, and reading the answer. */
  timeoutMs?: number;
  /** PEM of the certificate authorities that are believed, in place of those of Node. */
  ca?: string;
}

const TIMEOUT_MS = 10_000;
/** Of an answer, in bytes: enough to read what is wrong. */
const MAX_ANSWER_BYTES = 4_096;

export function makeGuardedClient(options: GuardedClientOptions): GuardedClient {
  const allowed = parseAllowedTargets(options.allowed);
  const resolve = options.resolve ?? ((hostname) => lookUpName(hostname, { all: true }));
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  return {
    async post(request) {
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        const target = await findTarget({ allowed, resolve, signal }, request.url);
        if ("refusal" in target) return { kind: "refused", reason: target.refusal };
        return await send(target, request, { signal, timeoutMs, ca: options.ca });
      } catch (error) {
        if (signal.aborted) {
          return { kind: "failed", reason: `No answer within ${timeoutMs / 1_000} s.` };
        }
        return { kind: "failed", reason: explain(error) };
      }
    },
    findMistake: (text) => findUrlMistake(text) ?? findPlainMistake(allowed, new URL(text)),
  };
}

/** Of an address of numbers, and of one that is not https, nothing needs to be looked up. */
function findPlainMistake(allowed: AllowedTargets, url: URL): string | null {
  const name = nameOf(url);
  const isAddress = isIP(name) !== 0;
  const isOpened = allowed.hosts.has(name) || (isAddress && isAllowedAddress(allowed, name));
  const kind = isAddress ? classifyAddress(name) : "public";
  if (kind === "metadata") return "this is where a cloud keeps credentials";
  if (kind === "private" && !isOpened) {
    return "this is in a private network, which BURSAR_ALLOW_PRIVATE_TARGETS does not allow";
  }
  const mayBeOpened = isOpened || (!isAddress && allowed.ranges.length > 0);
  return url.protocol === "http:" && !mayBeOpened ? "expected an https URL" : null;
}

/** As it is looked up: in lower case, IPv6 without brackets. */
function nameOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

function findUrlMistake(text: string): string | null {
  const url = URL.parse(text);
  if (url === null) return "expected a URL such as https://example.com/alerts";
  if (url.protocol !== "https:" && url.protocol !== "http:") return "expected an https URL";
  if (url.username !== "" || url.password !== "") {
    return "a user name and password do not belong into it";
  }
  return url.hash === "" ? null : "expected no fragment (#…)";
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
  if (mistake !== null) return { refusal: `The address cannot be used: ${mistake}.` };
  const url = new URL(text);
  const name = nameOf(url);
  const family = isIP(name);
  const addresses =
    family === 0 ? await inTime(resolve(name), signal) : [{ address: name, family }];
  if (addresses.length === 0) return { refusal: `${name} has no address.` };
  const isNamed = allowed.hosts.has(name);
  let isAllowed = true;
  for (const { address } of addresses) {
    const kind = classifyAddress(address);
    if (kind === "metadata") return { refusal: `${name} is where a cloud keeps credentials.` };
    const isOpened = isNamed || isAllowedAddress(allowed, address);
    if (kind === "private" && !isOpened) {
      return {
        refusal: `${name} is in a private network, which BURSAR_ALLOW_PRIVATE_TARGETS does not allow.`,
      };
    }
    isAllowed &&= isOpened;
  }
  if (url.protocol === "http:" && !isAllowed) {
    return { refusal: "The address is not https: what is sent would cross the network readable." };
  }
  return { url, addresses };
}

/** A name that is looked up cannot be taken back; it is not waited for any longer. */
async function inTime<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
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
  { headers, body }: GuardedRequest,
  { signal, timeoutMs, ca }: { signal: AbortSignal; timeoutMs: number; ca: string | undefined },
): Promise<GuardedAnswer> {
  // The name stays in the URL: it is what TLS and the Host header speak of. Only its meaning is fixed.
  const client = new Client(url.origin, {
    connect: {
      lookup: alwaysFind(addresses),
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
      method: "POST",
      path: url.pathname + url.search,
      headers: { "user-agent": "bursar", ...headers },
      body,
      signal,
    });
    const text = await readBeginning(answer.body);
    const { statusCode: status, headers: received } = answer;
    const retryAfter = received["retry-after"];
    return {
      kind: "answered",
      status,
      retryAfter: typeof retryAfter === "string" ? retryAfter : null,
      text,
    };
  } finally {
    // What is left of the answer is not read.
    await client.destroy().catch(() => undefined);
  }
}

/** Node asks this instead of the resolver, for one address or for all. */
function alwaysFind(addresses: readonly FoundAddress[]): LookupFunction {
  return (_, options, done) => {
    const [first] = addresses;
    if (options.all) done(null, [...addresses]);
    else done(null, first?.address ?? "", first?.family ?? 0);
  };
}

async function readBeginning(body: Dispatcher.ResponseData["body"]): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    const bytes = chunk as Buffer;
    chunks.push(bytes.subarray(0, MAX_ANSWER_BYTES - size));
    size += bytes.length;
    if (size >= MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

const untrusted = "Its certificate is of nobody whom this server trusts.";
const reasons: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_HAS_EXPIRED: "Its certificate has expired.",
  ERR_TLS_CERT_ALTNAME_INVALID: "Its certificate is for another name.",
  EHOSTUNREACH: "No way leads there.",
  ENETUNREACH: "No way leads there.",
  ENOTFOUND: "The name does not exist.",
  EAI_AGAIN: "The name could not be looked up.",
  ECONNREFUSED: "The connection was refused.",
  ECONNRESET: "The connection broke off.",
  UND_ERR_SOCKET: "The connection broke off.",
  UND_ERR_CONNECT_TIMEOUT: "No connection in time.",
  UND_ERR_HEADERS_TIMEOUT: "No answer in time.",
  UND_ERR_BODY_TIMEOUT: "The answer did not end in time.",
};

/** In our own words: an error of the library may hold the address, whose path can be a secret. */
function explain(error: unknown): string {
  const codes = [error, ...((error as AggregateError | null)?.errors ?? [])].map(
    (each: unknown) => (each as { code?: unknown } | null)?.code,
  );
  const code = codes.find((each) => typeof each === "string");
  if (typeof code !== "string") return "It could not be sent.";
  return reasons[code] ?? `It could not be sent (${code}).`;
}
