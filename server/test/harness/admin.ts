import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import type { createdAdminKey } from "@bursar/contract/admin/admin-keys.ts";
import type { createdApiKey } from "@bursar/contract/admin/api-keys.ts";
import type { workspace } from "@bursar/contract/admin/workspaces.ts";
import type { ErrorDetails } from "@bursar/contract/error-body.ts";
import type { FastifyInstance, InjectOptions } from "fastify";
import type { z } from "zod";
import { makeSessions } from "#src/access/sessions.ts";
import { makeOutgoing } from "#src/alerts/channels/outgoing.ts";
import type { AuditLog } from "#src/audit/open-audit-log.ts";
import { makeServedSettings } from "#src/claude-code/settings/served-settings.ts";
import { isUnavailable } from "#src/db/database-error.ts";
import { useReportsOfPrimary } from "#src/db/reports-database.ts";
import type { ClaimedLabels, Cut } from "#src/domain/request-record.ts";
import { type AdminAppDeps, makeAdminApp } from "#src/http/app.ts";
import { makeClientFacts } from "#src/http/client-address.ts";
import { startAccessTokens } from "#src/key-lookup/access-token-keys.ts";
import { findApiKeysByHashes } from "#src/key-lookup/api-key-lookup.sql.ts";
import { makeKeyCache } from "#src/key-lookup/key-cache.ts";
import type { AdminKeyUses, KeyUse } from "#src/key-lookup/key-use.ts";
import { startKeyUses } from "#src/key-lookup/key-uses.ts";
import { createAdminKey } from "#src/keys/admin-keys/admin-keys.ts";
import { assert } from "#src/lib/assert.ts";
import { makeBackground } from "#src/lib/background.ts";
import { systemClock } from "#src/lib/clock.ts";
import { newId } from "#src/lib/ids.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { parseAllowedTargets } from "#src/lib/target-address.ts";
import { createOrganization, ensureOrganization } from "#src/organizations/organizations.ts";
import { recordExceededBound } from "#src/spend/exceeded-bounds/change-exceeded-bounds.ts";
import { openTestAuditLog, type TestAuditLog } from "./audit-log.ts";
import { checkRefusal } from "./check-refusal.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import { linkDirectory } from "./link-directory.ts";
import {
  consoleHeaders,
  insertMember,
  type NewMember,
  signInMember,
  TEST_PASSWORD_COST,
} from "./members.ts";
import { makePersonSpend } from "./person-spend.ts";
import { makeStandInUpstream, type StandInUpstream } from "./stand-in-upstream.ts";
import { storeBatch, storeObject } from "./stored-objects.ts";
import { createSilentNode, createUnresolvedSpend } from "./unresolved-spend.ts";
import { endRecord, recordUsage } from "./usage-records.ts";

/** The Admin API in this process, on its own database. */
export interface AdminHarness {
  app: FastifyInstance;
  deps: AdminAppDeps;
  /** Upstream of the stored objects. */
  upstream: StandInUpstream;
  /** Does nothing in the background: tests write refusals and verify chains by a call. */
  audit: AuditLog;
  /** Frozen clock that only a test moves. Milliseconds since the epoch. */
  clock: { nowMs: number };
  /** Both write only when a test calls them. */
  keyUse: KeyUse;
  adminKeyUse: AdminKeyUses;
  /** Lines that the server logged. */
  logs: string[];
  /** Client of the admin socket, as owner of the first organization. */
  operator: Client;
  firstOrganizationId: string;
  /** For tests that open their own connections. */
  connectionString: string;
  /** Creates another organization with an admin key. */
  organization(name?: string): Promise<TestOrganization>;
  /** Client of the console without a session. */
  visitor: Client;
  /** Client that sends this secret, or no credential. */
  as(secret: string | null): Client;
  close(): Promise<void>;
}

export interface TestOrganization {
  id: string;
  adminKey: string;
  /** Sends the organization's admin key. */
  admin: Client;
  /** Client of the admin socket in this organization. */
  operator: Client;
  /** Records a request that the key made a minute ago. Returns its id. */
  recordRequest(of: {
    workspaceId: string;
    apiKeyId: string;
    memberId?: string;
    tagIds?: string[];
    isEstimated?: boolean;
    serviceTier?: string;
    claimed?: ClaimedLabels;
    cut?: Cut;
  }): Promise<string>;
  /** Creates a member with a session of the console. */
  member(options?: NewMember): Promise<TestMember>;
  /** Stores a file of the workspace, without an upstream. Returns its id. */
  storeFile(workspaceId: string, apiKeyId: string): Promise<string>;
  /** Stores a running message batch of the workspace, without an upstream. Returns its id here. */
  storeBatch(workspaceId: string, apiKeyId: string): Promise<string>;
  /** Creates unresolved spend of half a dollar. Returns the ids of the request and of the item. */
  createUnresolvedSpend(
    workspaceId: string,
    apiKeyId: string,
  ): Promise<{ requestId: string; id: string }>;
  /** Links the member to a person of the directory. */
  linkDirectory(memberId: string, directoryId: string): Promise<void>;
  /** Creates a silent node with half a dollar of the month. Returns the node's id. */
  createSilentNode(workspaceId: string): Promise<string>;
  /** Records a model that was faster than its highest speed. Returns the id of its request. */
  recordExceededBound(): Promise<{ requestId: string }>;
}

export interface TestMember {
  id: string;
  email: string;
  /** Cookie of the member's session. */
  cookie: string;
  /** Client of the console in that session. */
  client: Client;
}

export interface Answer<Body = unknown> {
  status: number;
  /** Parsed JSON with the type that the caller expects. Null when the response has no JSON. */
  body: Body;
  /** Error of the official body. Texts are empty when the response is no error. */
  error: { type: string; message: string; details?: ErrorDetails };
  headers: { [name: string]: string | undefined; allow?: string };
  text: string;
}

export type Workspace = z.output<typeof workspace>;
/** Created key. `key` is null where the secret waits for the owner: see `reveal-secret.ts`. */
export type CreatedApiKey = z.output<typeof createdApiKey> & { key: string };
export type CreatedAdminKey = z.output<typeof createdAdminKey>;
export interface Listed<Item> {
  data: Item[];
  next_page: string | null;
}

/** Client of one caller. Named methods expect success and return the body. */
export interface Client {
  send<Body>(options: InjectOptions): Promise<Answer<Body>>;
  get<Body>(url: string): Promise<Answer<Body>>;
  post<Body>(url: string, body?: object): Promise<Answer<Body>>;
  remove<Body>(url: string): Promise<Answer<Body>>;
  createWorkspace(fields?: object): Promise<Workspace>;
  createApiKey(workspaceId: string, fields?: object): Promise<CreatedApiKey>;
  createAdminKey(fields?: object): Promise<CreatedAdminKey>;
}

const organizations = new WeakMap<Client, TestOrganization>();

/** Organization of an operator's client. */
export function organizationOf(operator: Client): TestOrganization {
  const found = organizations.get(operator);
  assert(found, "the client is that of an operator");
  return found;
}

/** Client address that stands for the admin socket: see `isLocalOperator` below. */
const OPERATOR_ADDRESS = "local operator";
/** Organization of the operator's current call. A real server has one, and tests have several. */
const operatorOrganization = new AsyncLocalStorage<string | undefined>();
export const UNRESOLVED_RELEASE_MS = 3_600_000;
export const PUBLIC_URL = "https://bursar.example.com";
const START_MS = Date.UTC(2026, 10, 20, 12);

const noNetwork: AdminAppDeps["client"] = {
  post: async () => ({ kind: "failed", reason: "No network." }),
  fetch: async () => ({ kind: "failed", reason: "No network." }),
  findMistake: () => null,
  isListed: () => false,
};

/** Node id without a process. */
const testNode: AdminAppDeps["node"] = {
  nodeId: "node_test",
  isDatabaseEmbedded: true,
  journal: "disk",
  journalSync: "interval",
  leaseTtlMs: 120_000,
  mailFrom: null,
  exposure: null,
  requestsInFlight: () => 0,
  meter: () => ({ pendingRecords: 0, oldestPendingMs: 0, isJournalHealthy: true }),
  upstream: () => ({ source: "simulator", origin: "simulator", problem: null }),
  reportsDatabase: () => null,
};

/**
 * Starts the Admin API. `options` replace dependencies of the server. `own`: a database and an audit log on it, which the
 * caller closes. Default: new ones.
 */
export async function startAdmin(
  options: Partial<AdminAppDeps> = {},
  own?: Pick<TestDatabase, "database" | "connectionString"> & Pick<TestAuditLog, "audit">,
): Promise<AdminHarness> {
  const { database, connectionString, drop } = own
    ? { ...own, drop: async () => undefined }
    : await createTestDatabase();
  const clock = { nowMs: START_MS };
  const logs: string[] = [];
  const nowMs = () => clock.nowMs;
  const { audit, close: closeAudit } = own
    ? { ...own, close: async () => undefined }
    : await openTestAuditLog({ database, nowMs, logs });
  const first = await ensureOrganization(audit, "First Company");
  const logger = makeLogger("info", { write: (line) => logs.push(line) });
  const { keyUse, adminKeyUse, stop: stopKeyUses } = startKeyUses({ database, logger });
  const { tokens: accessTokens } = await startAccessTokens(audit, () => PUBLIC_URL);
  const background = makeBackground((error) => logger.error({ err: error }, "in the background"));
  const upstream = makeStandInUpstream();
  const deps: AdminAppDeps = {
    ...audit,
    keyUse,
    adminKeyUse,
    accessTokens,
    // No watch reports changes, so nothing is cached.
    keys: makeKeyCache({
      lookup: (hashes) => findApiKeysByHashes(database, audit.rows, hashes),
      msSinceContact: () => 0,
      leaseTtlMs: -1,
      clock: systemClock,
    }),
    // Empty until a test reads it.
    servedSettings: makeServedSettings({ database, rows: audit.rows }),
    // Telemetry is discarded.
    telemetry: { environment: null, relay: () => undefined, findHealth: () => null },
    personSpend: makePersonSpend(database, nowMs),
    unresolvedReleaseMs: UNRESOLVED_RELEASE_MS,
    publicUrl: () => PUBLIC_URL,
    isMailServerConfigured: false,
    onDenied: (caller, route, origin, refusal) =>
      audit.denials.record({ caller, route, origin, refusal }),
    get operatorOrganizationId() {
      return operatorOrganization.getStore() ?? first.id;
    },
    reportsDatabase: useReportsOfPrimary({ primary: database, nowMs }),
    isLocalOperator: (socket) => (socket.remoteAddress === OPERATOR_ADDRESS ? "1000" : null),
    sessions: makeSessions(audit),
    lostRestrictions: { isPending: () => false, settled: async () => undefined },
    privateUpstreams: parseAllowedTargets([]),
    // No upstream is opened. Stored objects are at a stand-in.
    upstreams: { find: (_, upstreamId) => (upstreamId === "simulator" ? upstream : null) },
    isMachineAllowed: false,
    passwordCost: TEST_PASSWORD_COST,
    background,
    publicOrigin: null,
    hasKnownAddress: true,
    isEncrypted: makeClientFacts([]).isEncrypted,
    clientAddress: (request) => request.socket.remoteAddress ?? null,
    logger,
    version: "0.0.0-test",
    node: testNode,
    isDatabaseAway: isUnavailable,
    // Tests of the API do not depend on a built console.
    consoleFolder: "no console",
    readiness: async () => ({ status: "ready", reason: null, checks: { database: "ok" } }),
    metricsToken: null,
    hasReference: true,
    metrics: { text: async () => "# no metrics\n", contentType: "text/plain" },
    // No message leaves this machine unless a test sends it.
    ...makeOutgoing([]),
    client: noNetwork,
    ...options,
  };
  const app = await makeAdminApp(deps);
  const as = (secret: string | null) =>
    makeClient(app, { headers: secret === null ? {} : { "x-api-key": secret } });
  const makeOperator = (organizationId: string) => makeClient(app, { operatorOf: organizationId });
  return {
    app,
    deps,
    upstream,
    audit,
    clock,
    keyUse,
    adminKeyUse,
    logs,
    as,
    operator: makeOperator(first.id),
    visitor: makeClient(app, { headers: consoleHeaders() }),
    firstOrganizationId: first.id,
    connectionString,
    organization: async (name = "Another Company") => {
      const { id } = await createOrganization(deps, name);
      const caller = { kind: "local_operator", id: "1000", organizationId: id } as const;
      const origin = { requestId: `req_${randomUUID()}`, ipAddress: null, userAgent: null };
      const { secret } = await createAdminKey(deps, { caller, origin }, { name: "Test" });
      const organization: TestOrganization = {
        id,
        adminKey: secret,
        admin: as(secret),
        operator: makeOperator(id),
        recordRequest: async (of) => {
          const startedAtMs = clock.nowMs - 60_000;
          const requestId = newId("req_", startedAtMs);
          const request = { ...of, organizationId: id, requestId, startedAtMs };
          await recordUsage(database, [endRecord(request)]);
          return requestId;
        },
        member: async (options = {}) => {
          const made = await insertMember(deps, id, options);
          const { steppedUpAtMs = clock.nowMs } = options;
          const cookie = await signInMember(deps, { ...made, steppedUpAtMs });
          return { ...made, cookie, client: makeClient(app, { headers: consoleHeaders(cookie) }) };
        },
        createUnresolvedSpend: (workspaceId, apiKeyId) =>
          createUnresolvedSpend(
            database,
            { organizationId: id, workspaceId, apiKeyId },
            { startedAtMs: clock.nowMs, holdNanoUsd: 500_000_000n },
          ),
        storeFile: (workspaceId, apiKeyId) =>
          storeObject(database, {
            ...{ organizationId: id, workspaceId, apiKeyId },
            atMs: clock.nowMs,
          }),
        storeBatch: async (workspaceId, apiKeyId) => {
          const owner = { organizationId: id, workspaceId, apiKeyId, atMs: clock.nowMs };
          return (await storeBatch(database, owner)).id;
        },
        createSilentNode: (workspaceId) =>
          createSilentNode(database, { organizationId: id, workspaceId, sinceMs: clock.nowMs }),
        recordExceededBound: async () => {
          const requestId = newId("req_", clock.nowMs);
          const figures = { observed: 900, allowed: 400 };
          const of = { organizationId: id, kind: "model", name: "claude-opus-5" } as const;
          await recordExceededBound(deps, { ...of, ...figures, requestId });
          return { requestId };
        },
        linkDirectory: (memberId, directoryId) =>
          linkDirectory(database, { memberId, directoryId, now: new Date(clock.nowMs) }),
      };
      organizations.set(organization.operator, organization);
      return organization;
    },
    close: async () => {
      await background.waitUntilIdle();
      await app.close();
      await stopKeyUses();
      await closeAudit();
      await drop();
    },
  };
}

/** Makes a client with these headers, or the operator's client. */
function makeClient(
  app: FastifyInstance,
  { headers = {}, operatorOf }: { headers?: Record<string, string>; operatorOf?: string },
): Client {
  // A change of the credentials replaces the session's cookie. Browsers store the new one.
  const keepCookie = (line: string) => {
    const [pair = ""] = line.split(";", 1);
    const [name = ""] = pair.split("=", 1);
    if (!headers["cookie"]) return;
    const others = headers["cookie"].split("; ").filter((each) => !each.startsWith(`${name}=`));
    headers["cookie"] = [...others, pair].join("; ");
  };
  const send = async <Body>(options: InjectOptions): Promise<Answer<Body>> => {
    // The promise of `inject` starts only when awaited. So it is awaited inside the storage's scope.
    const response = await operatorOrganization.run(
      operatorOf,
      async () =>
        await app.inject({
          ...options,
          ...(operatorOf !== undefined && { remoteAddress: OPERATOR_ADDRESS }),
          headers: { ...headers, ...options.headers },
        }),
    );
    for (const line of [response.headers["set-cookie"] ?? []].flat()) keepCookie(line);
    const type = String(response.headers["content-type"]);
    const isJson = type.startsWith("application/json") && response.payload !== "";
    const body: unknown = isJson ? JSON.parse(response.payload) : null;
    if (response.statusCode >= 400 && isJson) checkRefusal(response.statusCode, body);
    return {
      status: response.statusCode,
      body: body as Body,
      error: { type: "", message: "", ...(body as { error?: Answer["error"] } | null)?.error },
      headers: response.headers as Answer["headers"],
      text: response.payload,
    };
  };
  const post = <Body>(url: string, body?: object) =>
    send<Body>({ method: "POST", url, ...(body !== undefined && { payload: body }) });
  const create = async <Body>(url: string, body: object) => {
    const answer = await post<Body>(url, body);
    if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${answer.text}`);
    return answer.body;
  };
  return {
    send,
    get: (url) => send({ method: "GET", url }),
    post,
    remove: (url) => send({ method: "DELETE", url }),
    createWorkspace: (fields) =>
      create("/v1/admin/workspaces", { name: `Workspace ${randomUUID()}`, ...fields }),
    createApiKey: (workspaceId, fields) =>
      create("/v1/admin/api_keys", { name: "Key", workspace_id: workspaceId, ...fields }),
    createAdminKey: (fields) => create("/v1/admin/admin_keys", { name: "Key", ...fields }),
  };
}
