import { once } from "node:events";
import {
  Agent,
  type ClientRequest,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as startRequest,
} from "node:http";
import {
  type AddressInfo,
  createServer as createNetServer,
  type Server,
  type Socket,
} from "node:net";
import { addClientForms } from "#src/client-forms/client-forms.ts";
import { makeSecret } from "#src/domain/key-format.ts";
import { makeModelLabels } from "#src/domain/model-labels.ts";
import { makePriceBook } from "#src/domain/price-book.ts";
import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import type { Admission } from "#src/gateway/admit-request.ts";
import {
  type Gateway,
  type GatewayDeps,
  makeGateway,
  type ObservedRequest,
} from "#src/gateway/handle-request.ts";
import { noObjects } from "#src/gateway/object-call.ts";
import { makeClientAddress } from "#src/http/client-address.ts";
import type { ClientCall } from "#src/http1/client-call.ts";
import { type ClientConnections, makeClientConnections } from "#src/http1/client-connections.ts";
import { serveNodeRequest } from "#src/http1/node-call.ts";
import {
  type AccessTokens,
  type LaptopClaims,
  makeAccessTokens,
} from "#src/key-lookup/access-tokens.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import { type KeyCache, makeKeyCache } from "#src/key-lookup/key-cache.ts";
import type { Use } from "#src/key-lookup/key-use.ts";
import { systemClock } from "#src/lib/clock.ts";
import { newId, systemRandomBytes } from "#src/lib/ids.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { makeTurnEnd, type TurnEnd } from "#src/lib/turn-end.ts";
import { makeAnthropicUpstream } from "#src/upstreams/anthropic.ts";
import {
  makeProviderUpstream,
  type ProviderUpstreamOptions,
} from "#src/upstreams/provider-upstreams.ts";
import type { Upstream, UpstreamOrder } from "#src/upstreams/upstream.ts";

// A gateway on a loopback socket, in front of an upstream that the test chooses. Its meter, ledger and keys are in
// memory. Everything between both sockets is the real code.

export const ORGANIZATION_ID = "6f1f7c0e-0d3c-4a51-9d3e-2a6f3a6f3a6f";
export const WORKSPACE_ID = "wksp_test";
export const UPSTREAM_CREDENTIAL = "upstream-credential-of-the-test";

/** Code that reads HTTP on both sides of the gateway: `BURSAR_HTTP`. */
export type HttpReader = "sockets" | "node";

export const DEFAULT_READER: HttpReader = "sockets";
let reader: HttpReader = DEFAULT_READER;

/** Sets the reader of gateways that start from now on. */
export function setReader(chosen: HttpReader): void {
  reader = chosen;
}

export interface TestGateway {
  origin: string;
  port: number;
  gateway: Gateway;
  /** Secret of a key with the permission `write`. */
  secret: string;
  begins: BeginRecord[];
  ends: EndRecord[];
  observed: ObservedRequest[];
  uses: Use[];
  /** Returns the one end record of the request, once written. */
  end(): Promise<EndRecord>;
  addKey(key?: Partial<FoundKey>): string;
  /** Adds a laptop of the member `user_test`. Returns its access token. */
  addLaptop(
    key?: Partial<FoundKey>,
    issuedAtMs?: number,
    claims?: Partial<Pick<LaptopClaims, "memberId" | "groupNames" | "billingGroupTag">>,
  ): string;
  accessTokens: AccessTokens;
  /** Upstreams of all workspaces. A test can set another order. */
  order: UpstreamOrder;
  admission: Admission;
  /** Origins that some key allows. */
  pageOrigins: Set<string>;
  /** Gateway side of every client connection so far. */
  clientSockets: Socket[];
  close(): Promise<void>;
}

export interface TestGatewayOptions extends Partial<Omit<GatewayDeps, "upstreams">> {
  /** Origin of the upstream. */
  origin: string;
  /** Origins of the upstreams after the first one, in order. */
  others?: readonly string[];
  /** Cloud platform of the upstream. */
  platform?: Pick<ProviderUpstreamOptions, "settings" | "credential">;
  basePath?: string;
  /** Longest time for a connection to an upstream, milliseconds. Default: that of a server. */
  connectTimeoutMs?: number;
}

export async function startTestGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const { origin, others = [], basePath = "", platform, connectTimeoutMs, ...overrides } = options;
  const idleTimeoutMs = overrides.idleTimeoutMs ?? 20_000;
  const turnEnd = reader === "sockets" ? makeTurnEnd() : null;
  const make = (baseUrl: string, index: number) =>
    makeAnthropicUpstream({
      baseUrl,
      credential: UPSTREAM_CREDENTIAL,
      id: others.length === 0 ? "environment" : `ups_${index}`,
      source: others.length === 0 ? "environment" : "stored",
      idleTimeoutMs,
      turnEnd,
      ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
    });
  const order: UpstreamOrder = [
    platform === undefined
      ? make(origin + basePath, 0)
      : makePlatform(origin, platform, { idleTimeoutMs, turnEnd }),
    ...others.map((other, index) => make(other, index + 1)),
  ];
  const known = new Map<string, FoundKey>();
  const endWaiters: (() => void)[] = [];
  const state = {
    begins: [] as BeginRecord[],
    ends: [] as EndRecord[],
    observed: [] as ObservedRequest[],
    uses: [] as Use[],
    admission: { admit: () => ({ kind: "admitted" }) } as Admission,
    clientSockets: [] as Socket[],
    accessTokens: makeTestTokens(),
    pageOrigins: new Set<string>(),
    order,
  };
  const gateway = makeGateway({
    ...testDeps(state, known, endWaiters),
    idleTimeoutMs,
    ...overrides,
  });
  const served = addClientForms(gateway, {
    nowMs: systemClock.nowMs,
    origins: { isAllowed: (origin) => state.pageOrigins.has(origin) },
  });
  const { server, stop } = makeServer(turnEnd, (call) => void served.handle(call));
  server.on("connection", (socket) => void state.clientSockets.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const test: TestGateway = Object.assign(state, {
    origin: `http://127.0.0.1:${port}`,
    port,
    gateway,
    secret: "",
    async end() {
      while (state.ends.length === 0) await new Promise<void>((done) => endWaiters.push(done));
      const [end] = state.ends;
      if (!end || state.ends.length > 1) throw new Error("expected exactly one end");
      return end;
    },
    addKey(key: Partial<FoundKey> = {}) {
      const { secret, hash } = makeSecret("api", systemRandomBytes);
      known.set(hash.toString("hex"), { ...defaultKey, ...key });
      return secret;
    },
    addLaptop(key = {}, issuedAtMs = Date.now(), claims = {}) {
      const hash = systemRandomBytes(32);
      const laptop = { ...defaultKey, purpose: "claude_code", ownerMemberId: "user_test" } as const;
      const secretValidUntilMs = issuedAtMs + 365 * 86_400_000;
      known.set(Buffer.from(hash).toString("hex"), { ...laptop, secretValidUntilMs, ...key });
      const subject = {
        organizationId: ORGANIZATION_ID,
        memberId: "user_test",
        laptopId: "laptop_test",
        key: Buffer.from(hash).toString("base64url"),
        groupIds: [],
        groupNames: [],
        billingGroupTag: null,
        ...claims,
      };
      return state.accessTokens.issueAccess(subject, issuedAtMs);
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of state.clientSockets) socket.destroy();
      await closed;
      stop();
      await Promise.all(
        order.flatMap(({ client, objects }) => [client.destroy(), objects?.destroy()]),
      );
    },
  });
  test.secret = test.addKey();
  return test;
}

/** Makes an upstream on a cloud platform. */
export function makePlatform(
  baseUrl: string,
  platform: Pick<ProviderUpstreamOptions, "settings" | "credential">,
  client: Pick<ProviderUpstreamOptions, "idleTimeoutMs" | "turnEnd">,
): Upstream {
  return makeProviderUpstream({
    ...client,
    ...platform,
    id: "ups_platform",
    baseUrl,
    extraHeaders: [],
    isMachineAllowed: false,
    nowMs: Date.now,
    logger: makeLogger("silent"),
  });
}

/** Makes the server for clients. `stop` ends its checks of time limits. */
function makeServer(
  turnEnd: TurnEnd | null,
  handle: (call: ClientCall) => void,
): { server: Server; stop: () => void } {
  const http = createServer((request, response) => {
    serveNodeRequest(request, response, false, handle);
  });
  http.on("checkContinue", (request, response) => {
    serveNodeRequest(request, response, true, handle);
  });
  if (turnEnd === null) return { server: http, stop: () => undefined };
  const own: ClientConnections = makeClientConnections({
    turnEnd,
    handles: () => true,
    handle,
    handOver: (socket) => http.emit("connection", socket),
    formatRefusal: () => "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n",
  });
  const server = createNetServer({ allowHalfOpen: true, noDelay: true }, own.accept);
  return { server, stop: own.stop };
}

function makeTestTokens(): AccessTokens {
  const tokens = makeAccessTokens(() => "https://bursar.example.com");
  tokens.setKeys([{ id: "atkey_test", bytes: systemRandomBytes(32), usedFromMs: 0 }]);
  return tokens;
}

export const defaultKey: FoundKey = {
  id: "apikey_test",
  organizationId: ORGANIZATION_ID,
  workspaceId: WORKSPACE_ID,
  permission: "write",
  status: "active",
  purpose: "calls",
  expiresAtMs: null,
  isHeld: false,
  isUnsigned: false,
  isWorkspaceArchived: false,
  secretId: 1,
  secretValidUntilMs: null,
  ownerMemberId: null,
  ownerState: null,
  groupIds: [],
  tagIds: [],
  groupTags: null,
  seesOwnUsageOnly: false,
  allowedModels: null,
  allowedAddresses: null,
  userDirectoryId: null,
  requiresUser: false,
  allowedOrigins: null,
};

function testDeps(
  state: Pick<
    TestGateway,
    "begins" | "ends" | "observed" | "uses" | "admission" | "accessTokens" | "order"
  >,
  known: Map<string, FoundKey>,
  endWaiters: (() => void)[],
): Omit<GatewayDeps, "idleTimeoutMs"> {
  const book = makePriceBook([]);
  const keys: KeyCache = makeKeyCache({
    lookup: async (hashes) =>
      hashes.map((hash) => known.get(Buffer.from(hash).toString("hex")) ?? null),
    msSinceContact: () => 0,
    leaseTtlMs: 120_000,
    clock: systemClock,
  });
  return {
    keys,
    accessTokens: state.accessTokens,
    users: { findCached: () => null, find: async () => null, forget: () => undefined },
    keyUse: { record: (use) => void state.uses.push(use) },
    clientAddress: makeClientAddress([]),
    ledger: { admit: (scope, atMs) => state.admission.admit(scope, atMs) },
    meter: {
      begin: (record) => void state.begins.push(record),
      amendBegin: () => undefined,
      end(record) {
        state.ends.push(record);
        for (const done of endWaiters.splice(0)) done();
      },
    },
    prices: { get: () => book },
    labels: makeModelLabels(100),
    upstreams: {
      forWorkspace: () => state.order,
      find: (_, id) => state.order.find((upstream) => upstream.id === id) ?? null,
    },
    objects: noObjects,
    publicUrl: () => "https://bursar.example.com",
    databaseNowMs: () => Date.now(),
    leases: noLeases,
    exceededBounds: { isHeldWhole: () => false, report: () => undefined },
    rates: noRates,
    personSpend: noCaps,
    metrics: {
      observeRequest: (request) => void state.observed.push(request),
      observeHoldRefusal: () => undefined,
      observeRateRefusal: () => undefined,
      observeOverrun: () => undefined,
      observeDoubt: () => undefined,
      observeCut: () => undefined,
      observeFasterStream: () => undefined,
      observeStep: () => undefined,
    },
    newRequestId: () => newId("req_", Date.now()),
    clock: systemClock,
    logger: makeLogger("silent"),
  };
}

/** Rates of an organization without rate limits. */
const noRates: GatewayDeps["rates"] = {
  take: () => null,
  charge: () => undefined,
  headersOf: () => ({}),
};

/** A person without a cap. */
const noCaps: GatewayDeps["personSpend"] = { prepare: () => undefined, findCaps: () => [] };

/** Leases of an organization without strict limits. */
const noLeases: GatewayDeps["leases"] = {
  isHoldRequired: () => false,
  hasSteps: () => false,
  findLimit: () => null,
  findUnknownRefusal: () => null,
  hold: () => ({
    kind: "held",
    startedAtMs: Date.now(),
    holdNanoUsd: null,
    smallerHolds: null,
    isStepped: false,
  }),
  drop: () => undefined,
  lowerHold: () => undefined,
  resizeHold: () => "held",
  findStreamHold: () => null,
  findLack: () => null,
};

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
  body: Buffer;
  text: string;
}

export interface Call {
  method?: string;
  path?: string;
  headers?: Record<string, string | string[]>;
  body?: Buffer | string;
}

const agent = new Agent({ keepAlive: true });

/** Sends a request and reads the complete response. Rejects when the connection breaks before. */
export async function call(origin: string, options: Call = {}): Promise<Answer> {
  const response = await open(origin, options);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    rawHeaders: response.rawHeaders,
    body,
    text: body.toString("utf8"),
  };
}

/** Sends a request. Resolves with the response once its headers arrived. */
export function open(origin: string, options: Call = {}): Promise<IncomingMessage> {
  const sent = start(origin, options);
  return new Promise((resolve, reject) => {
    sent.on("response", resolve);
    sent.on("error", reject);
  });
}

/** Sends a request. For tests that end it themselves. */
export function start(origin: string, options: Call = {}): ClientRequest {
  const { method = "POST", path = "/v1/messages", headers = {}, body } = options;
  const { hostname: host, port } = new URL(origin);
  // The path is sent unchanged. A URL would normalize it.
  const sent = startRequest({ host, port, path, method, headers, agent });
  sent.on("error", () => undefined);
  // For a string body, Node would encode the headers as UTF-8 too.
  sent.end(body === undefined ? undefined : Buffer.from(body));
  return sent;
}

/** A small body of `POST /v1/messages`. */
export function messageBody(fields: object = {}): string {
  return JSON.stringify({
    model: "claude-sonnet-4-5",
    max_tokens: 100,
    messages: [{ role: "user", content: "Hi" }],
    ...fields,
  });
}

/** Headers of an older SDK. */
export function withKey(secret: string): Record<string, string> {
  return {
    "x-api-key": secret,
    "anthropic-version": "2023-06-01",
    "content-type": "application/json",
  };
}
