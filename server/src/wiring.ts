import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { idPrefixes } from "@bursar/contract/ids.ts";
import type { FastifyInstance } from "fastify";
import { findApiKeysByHashes } from "./access/api-key-lookup.sql.ts";
import { type KeyCache, makeKeyCache } from "./access/key-cache.ts";
import { saveUses } from "./access/key-use.sql.ts";
import { type KeyUse, makeKeyUse } from "./access/key-use.ts";
import { keepAuditLog } from "./audit/keep-audit-log.ts";
import { type AuditLog, openAuditLog } from "./audit/open-audit-log.ts";
import { type Config, findExposure, type LoadedConfig } from "./config.ts";
import { type Changed, type ChangeWatch, watchChanges } from "./db/change-watch.ts";
import { isUnavailable } from "./db/database-error.ts";
import { findDurabilityWarning } from "./db/durability.ts";
import { checkSecretFingerprint, resolveSecret } from "./db/installation-secret.ts";
import { openStorage, type Storage } from "./db/storage.ts";
import { type ModelLabels, makeModelLabels } from "./domain/model-labels.ts";
import { ensureOrganization } from "./features/organizations/organizations.ts";
import { type Gateway, makeGateway } from "./gateway/handle-request.ts";
import { openUpstreams, type Upstreams } from "./gateway/upstreams/resolve-upstream.ts";
import { startSimulator } from "./gateway/upstreams/simulator/server.ts";
import type { UpstreamDescription } from "./gateway/upstreams/upstream.ts";
import { findSharedUpstream } from "./gateway/upstreams/upstream-lookup.sql.ts";
import { makeAdminApp } from "./http/app.ts";
import { makeClientAddress } from "./http/client-address.ts";
import { type Listener, type LocalListener, listen, listenLocally } from "./http/listen.ts";
import { type Metrics, makeMetrics } from "./http/metrics.ts";
import type { Readiness } from "./http/pages.ts";
import { type LeaseKeeper, makeLeaseKeeper } from "./ledger/lease-keeper.ts";
import { type Ledger, makeLedger } from "./ledger/ledger.ts";
import { steadyDays } from "./ledger/steady-days.ts";
import { systemClock } from "./lib/clock.ts";
import { newId, systemRandomBytes } from "./lib/ids.ts";
import { localSocketPath } from "./lib/local-socket.ts";
import type { Logger } from "./lib/logger.ts";
import { sealingKey } from "./lib/seal.ts";
import { StartError } from "./lib/start-error.ts";
import { openJournal } from "./metering/journal.ts";
import { type Meter, makeMeter } from "./metering/meter.ts";
import { nodeIdentity } from "./metering/node-identity.ts";
import { keepUsagePartitions } from "./metering/partitions.ts";
import { makePriceBooks, type PriceBooks } from "./metering/price-book.ts";
import { keepEventsPruned } from "./metering/prune-events.ts";
import { recordUsage } from "./metering/record-usage.ts";
import { listReportedModels } from "./metering/usage.sql.ts";

// Builds everything once and starts it, in the order in which the parts need each other; stops it in the opposite one.

export interface StartOptions {
  loaded: LoadedConfig;
  logger: Logger;
  /** `--simulator`: no configured upstream is looked at. */
  isSimulated: boolean;
}

export interface RunningServer {
  /** Where it listens: `http://127.0.0.1:8484`. */
  url: string;
  /** The upstream in use, or null while the configured one cannot be used. */
  upstream(): UpstreamDescription | null;
  /** The variables that name an upstream of the environment, for people. */
  upstreamVariables: string;
  isDatabaseEmbedded: boolean;
  /** What the operator should know, one sentence each. */
  warnings: readonly string[];
  /** Resolves with a reason when the server cannot go on by itself. */
  failed: Promise<string>;
  /** Stops accepting, finishes what runs, writes the last records, and frees everything. */
  stop(): Promise<void>;
}

const VERSION = readVersion();
const POLL_CHANGES_MS = 250;
const ORGANIZATION_NAME = "My organization";
/** Names of models outside the price list that reports show as themselves. */
const MAX_OTHER_MODELS = 200;

/** Starts a server. Throws a StartError for what the operator can mend; nothing is left running then. */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  await using parts = new AsyncDisposableStack();
  const server = await startParts(options, parts);
  const started = parts.move();
  return { ...server, stop: () => started.disposeAsync() };
}

async function startParts(
  { loaded, logger, isSimulated }: StartOptions,
  parts: AsyncDisposableStack,
): Promise<Omit<RunningServer, "stop">> {
  const { config } = loaded;
  const failure = Promise.withResolvers<string>();
  const storage = await openStorage({
    dataDir: config.dataDir,
    databaseUrl: config.databaseUrl,
    logger,
    onFailure: (reason) => {
      process.exitCode = 1;
      failure.resolve(reason);
    },
  });
  parts.defer(() => storage.close());
  const secret = await resolveSecret({
    given: config.secret,
    isDatabaseShared: !storage.isEmbedded,
    dataDir: storage.folder,
  });
  await checkSecretFingerprint(storage.database, secret);
  const key = sealingKey(secret);

  const core = await startCore({ config, storage, logger, secret, key, isSimulated }, parts);
  const surfaces = await startSurfaces({ config, storage, logger, core }, parts);
  const durability = await findDurabilityWarning(storage.database);
  return {
    url: surfaces.url,
    upstream: () => describeUpstream(core.upstreams),
    upstreamVariables: upstreamVariables(config),
    isDatabaseEmbedded: storage.isEmbedded,
    warnings: [durability, findExposure(config)].filter((warning) => warning !== null),
    failed: failure.promise,
  };
}

interface CoreOptions {
  config: Config;
  storage: Storage;
  logger: Logger;
  secret: string;
  key: Buffer;
  isSimulated: boolean;
}

/** What a request needs besides HTTP: keys, prices, spend, the meter and the upstream. */
interface Core {
  organizationId: string;
  audit: AuditLog;
  watch: ChangeWatch;
  keys: KeyCache;
  keyUse: KeyUse;
  prices: PriceBooks;
  labels: ModelLabels;
  ledger: Ledger;
  leases: LeaseKeeper;
  meter: Meter;
  upstreams: Upstreams;
  /** The database's clock for everything that belongs to a period, milliseconds since the epoch. */
  spendNowMs: () => number;
  /** Set once there is one: limits that are made then count what it runs. */
  runsOn: { gateway: Gateway | null };
}

async function startCore(options: CoreOptions, parts: AsyncDisposableStack): Promise<Core> {
  const { config, logger } = options;
  const { database } = options.storage;
  const reload: ((changed: Changed) => void)[] = [];
  const watch = watchChanges({
    database,
    intervalMs: POLL_CHANGES_MS,
    clock: systemClock,
    logger,
    onChange: (changed) => {
      for (const each of reload) each(changed);
    },
  });
  parts.defer(() => watch.stop());
  await watch.ready;
  const nowMs = () => watch.databaseNowMs();
  const audit = await openAuditLog({
    database: options.storage.adminDatabase,
    nowMs,
    randomBytes: systemRandomBytes,
    secret: options.secret,
    folder: options.storage.folder,
    logger,
  });
  parts.defer(() => audit.witness.stop());
  const organization = await ensureOrganization(audit, ORGANIZATION_NAME);
  const auditKeeper = keepAuditLog({ ...audit, logger });
  parts.defer(() => auditKeeper.stop());
  const partitions = await keepUsagePartitions({ database, logger });
  parts.defer(() => partitions.stop());
  const pruner = keepEventsPruned({ database: options.storage.adminDatabase, logger });
  parts.defer(() => pruner.stop());

  const keys = makeKeyCache({
    lookup: (hashes) => findApiKeysByHashes(database, hashes),
    msSinceContact: () => watch.msSinceContact(),
    leaseTtlMs: config.leaseTtlMs,
    clock: systemClock,
  });
  const keyUse = makeKeyUse({ save: (uses) => saveUses(database, uses), logger });
  parts.defer(() => keyUse.stop());
  const prices = makePriceBooks({ database });
  await prices.reload();
  const upstreams = await startUpstreams(options);
  parts.defer(() => upstreams.close());
  // What the reports already show counts towards the cap, so that it holds over restarts.
  const labels = makeModelLabels(MAX_OTHER_MODELS, await listReportedModels(database));
  const runsOn: Core["runsOn"] = { gateway: null };
  const spendNowMs = steadyDays(nowMs);
  const money = { ...options, nowMs: spendNowMs, prices, labels, runsOn };
  const { ledger, leases, meter } = await startMoney(money, parts);

  const quietly = (work: () => Promise<void>) => () => {
    work().catch((error: unknown) => logger.warn({ err: error }, "a change could not be read"));
  };
  reload.push(
    (changed) => keys.forget(changed),
    quietly(() => prices.reload()),
    quietly(() => ledger.refresh()),
    quietly(() => upstreams.reload()),
  );
  const counted = { ledger, leases, meter, spendNowMs, runsOn };
  return {
    organizationId: organization.id,
    audit,
    watch,
    keys,
    keyUse,
    prices,
    labels,
    upstreams,
    ...counted,
  };
}

function startUpstreams({ config, storage, logger, key, isSimulated }: CoreOptions) {
  const { anthropicApiKey, anthropicUpstreamUrl } = config;
  const isConfigured = anthropicApiKey !== undefined || anthropicUpstreamUrl !== undefined;
  return openUpstreams({
    environment:
      isConfigured && !isSimulated
        ? { apiKey: anthropicApiKey ?? null, baseUrl: anthropicUpstreamUrl ?? null }
        : null,
    findStored: () => (isSimulated ? Promise.resolve(null) : findSharedUpstream(storage.database)),
    sealingKey: key,
    startSimulator: () =>
      startSimulator(
        process.platform === "win32"
          ? { port: 0 }
          : { socketPath: localSocketPath(storage.folder, "simulator.sock") },
      ),
    idleTimeoutMs: config.upstreamIdleMs,
    logger,
  });
}

interface MoneyOptions extends CoreOptions {
  nowMs: () => number;
  prices: PriceBooks;
  labels: ModelLabels;
  runsOn: Core["runsOn"];
}

async function startMoney(
  { config, storage, logger, nowMs, prices, labels, runsOn }: MoneyOptions,
  parts: AsyncDisposableStack,
): Promise<{ ledger: Ledger; leases: LeaseKeeper; meter: Meter }> {
  const { database } = storage;
  const directory = join(storage.folder, "journal");
  const nodeId = nodeIdentity({
    directory,
    configuredId: config.nodeId ?? null,
    makeId: () => newId(idPrefixes.node, nowMs()),
  });
  const leases = makeLeaseKeeper({
    database,
    nodeId,
    databaseNowMs: nowMs,
    clock: systemClock,
    logger,
    ttlMs: config.leaseTtlMs,
    holdWaitMs: config.holdWaitMs,
    unresolvedReleaseMs: config.unresolvedReleaseMs,
    reenter: () => meter.reenter(),
    journalTold: () => meter.journalTold(),
    listRunning: (organizationId) => runsOn.gateway?.listUnheld(organizationId) ?? [],
  });
  const ledger = makeLedger({ database, nodeId, leases, databaseNowMs: nowMs, logger });
  const meter: Meter = makeMeter({
    database,
    journal: openJournal({ directory, nodeId, clock: systemClock, logger }),
    participants: [recordUsage(nodeId), ledger.spendParticipant],
    version: VERSION,
    newInstallationId: newId("inst_", nowMs()),
    // These records used nothing: an invented model name must not take a place among the reported ones.
    labelOf: (organizationId, model) => labels.labelOf(model, prices.get(organizationId), false),
    clock: systemClock,
    logger,
  });
  await meter.start();
  parts.defer(() => meter.stop());
  await ledger.start();
  parts.defer(() => ledger.stop());
  await leases.start();
  // With its last records flushed the node has nothing left to keep a lease for.
  parts.defer(async () => {
    await meter.flush();
    await leases.stop();
  });
  return { ledger, leases, meter };
}

interface SurfaceOptions {
  config: Config;
  storage: Storage;
  logger: Logger;
  core: Core;
}

/** The HTTP side: gateway, Admin API, the listener of both, and the admin socket. */
async function startSurfaces(
  { config, storage, logger, core }: SurfaceOptions,
  parts: AsyncDisposableStack,
): Promise<{ url: string }> {
  const metrics: Metrics = makeMetrics({
    inFlight: () => gateway.stats().inFlight,
    pendingRecords: () => core.meter.status().pendingRecords,
    oldestPendingMs: () => core.meter.status().oldestPendingMs,
    databaseSilenceMs: () => core.watch.msSinceContact(),
    waitingHolds: () => core.leases.status().waiting,
    brokenAuditLogs: () => core.audit.chains.countBroken(),
  });
  const clientAddress = makeClientAddress(config.trustedProxies);
  const gateway = makeGateway({
    keys: core.keys,
    keyUse: core.keyUse,
    clientAddress,
    ledger: core.ledger,
    leases: core.leases,
    meter: core.meter,
    ...(config.journalSync === "group" && {
      beginSynced: (record) => core.meter.beginSynced(record),
    }),
    prices: core.prices,
    labels: core.labels,
    upstream: () => core.upstreams.current(),
    databaseNowMs: core.spendNowMs,
    metrics,
    newRequestId: () => newId(idPrefixes.request, core.watch.databaseNowMs()),
    clock: systemClock,
    idleTimeoutMs: config.upstreamIdleMs,
    answerTimeoutMs: config.upstreamAnswerMs,
    logger,
  });
  core.runsOn.gateway = gateway;
  let local: LocalListener | null = null;
  const admin = await makeAdminApp({
    ...core.audit,
    operatorOrganizationId: core.organizationId,
    // Nobody can sign in yet: no cookie is a session.
    sessions: { find: async () => null },
    publicOrigin: config.publicUrl === undefined ? null : new URL(config.publicUrl).origin,
    isLocalOperator: (socket) => local?.operatorUid(socket) ?? null,
    clientAddress,
    keyUse: core.keyUse,
    onDenied: (caller, route, origin, refusal) =>
      core.audit.denials.note({ caller, route, origin, refusal }),
    isDatabaseAway: isUnavailable,
    landingPagePath: fileURLToPath(new URL("../../console/src/index.html", import.meta.url)),
    readiness: async () => readiness(core, gateway),
    metrics,
    version: VERSION,
    logger,
  });
  parts.defer(() => admin.close());

  const adminSocket = await listenLocally(
    localSocketPath(storage.folder, "admin.sock"),
    admin.routing,
  );
  local = adminSocket;
  parts.defer(() => adminSocket.close());
  const listener = await listen({
    host: config.host,
    port: config.port,
    tls: readTls(config),
    ...dispatch(gateway, admin),
  });
  parts.defer(() => stopListening({ listener, gateway, drainMs: config.drainMs }));
  return { url: listener.url };
}

/** One port, two surfaces: the target decides. */
function dispatch(gateway: Gateway, admin: FastifyInstance) {
  const handle = (isHeldBack: boolean) => (request: IncomingMessage, response: ServerResponse) => {
    if (gateway.handles(request.method ?? "", request.url ?? "")) {
      void gateway.handle(request, response, isHeldBack);
      return;
    }
    if (isHeldBack) response.writeContinue();
    admin.routing(request, response);
  };
  return { onRequest: handle(false), onCheckContinue: handle(true) };
}

async function stopListening(running: {
  listener: Listener;
  gateway: Gateway;
  drainMs: number;
}): Promise<void> {
  // Both at once: the listener closes sockets as they turn idle, the gateway says when it has nothing left to send.
  await running.listener.close(running.gateway.drain(running.drainMs));
}

/** Whether this node should get requests now. A database that was heard of less than ten polls ago counts as there. */
function readiness(core: Core, gateway: Gateway): Readiness {
  const meter = core.meter.status();
  const isDatabaseThere = core.watch.msSinceContact() <= 10 * POLL_CHANGES_MS;
  const checks = {
    draining: gateway.stats().isDraining ? "yes" : "no",
    database: isDatabaseThere ? "ok" : "does not answer",
    journal: meter.isJournalHealthy ? "ok" : "cannot be written",
    node: meter.isFenced ? "another process has taken this node's id" : "ok",
  };
  const isReady =
    !gateway.stats().isDraining && isDatabaseThere && meter.isJournalHealthy && !meter.isFenced;
  return { isReady, checks };
}

function describeUpstream(upstreams: Upstreams): UpstreamDescription | null {
  try {
    return upstreams.current().describe;
  } catch {
    return null;
  }
}

function upstreamVariables(config: Config): string {
  return [
    config.anthropicApiKey === undefined ? null : "ANTHROPIC_API_KEY",
    config.anthropicUpstreamUrl === undefined ? null : "ANTHROPIC_UPSTREAM_URL",
  ]
    .filter((name) => name !== null)
    .join(" and ");
}

function readTls(config: Config): { cert: string; key: string } | null {
  const { tlsCertFile, tlsKeyFile } = config;
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return null;
  const read = (path: string) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      throw new StartError(`Cannot read ${path}, which the TLS settings name.`);
    }
  };
  return { cert: read(tlsCertFile), key: read(tlsKeyFile) };
}

function readVersion(): string {
  const file = new URL("../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
