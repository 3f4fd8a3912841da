import { fileURLToPath } from "node:url";
import { idPrefixes } from "@bursar/contract/ids.ts";
import { makeSessions } from "#src/access/sessions.ts";
import { makeOutgoing, type Outgoing } from "#src/alerts/channels/outgoing.ts";
import type { SpendAlerts } from "#src/alerts/firing/spend-participant.ts";
import { type NewestBackup, readNewestBackup } from "#src/backup/newest-backup.ts";
import {
  makeServedSettings,
  type ServedSettings,
} from "#src/claude-code/settings/served-settings.ts";
import { type Config, findExposure, isOnlyLocal, type LoadedConfig } from "#src/config.ts";
import { type Changed, type ChangeWatch, watchChanges } from "#src/db/change-watch.ts";
import { isUnavailable } from "#src/db/database-error.ts";
import { findDurabilityWarning } from "#src/db/durability.ts";
import { openInstallationSecret } from "#src/db/installation-secret.ts";
import { type Notifications, startNotifications } from "#src/db/notifications.ts";
import { countConnections } from "#src/db/pool-sizes.ts";
import type { ReportsDatabase } from "#src/db/reports-database.ts";
import { connectStorage, type Storage } from "#src/db/storage.ts";
import { type ModelLabels, makeModelLabels } from "#src/domain/model-labels.ts";
import { type Gateway, makeGateway } from "#src/gateway/handle-request.ts";
import type { ObjectServer } from "#src/gateway/object-call.ts";
import { makeAdminApp } from "#src/http/app.ts";
import { makeClientFacts } from "#src/http/client-address.ts";
import { dispatch } from "#src/http/dispatch.ts";
import { type LocalListener, listen, listenLocally, makeBrowserUrl } from "#src/http/listen.ts";
import { type Metrics, makeMetrics } from "#src/http/metrics.ts";
import { readTls } from "#src/http/read-tls.ts";
import { type Background, makeBackground } from "#src/lib/background.ts";
import { systemClock } from "#src/lib/clock.ts";
import { readFreeBytes } from "#src/lib/free-space.ts";
import { newId } from "#src/lib/ids.ts";
import { getSocketPath, socketName } from "#src/lib/local-socket.ts";
import type { Logger } from "#src/lib/logger.ts";
import { VERSION } from "#src/lib/program-version.ts";
import { deriveSealingKey } from "#src/lib/seal.ts";
import { makeTurnEnd, type TurnEnd } from "#src/lib/turn-end.ts";
import { removeForeignVariables } from "#src/people/identity/auth-settings.ts";
import { makePriceBooks, type PriceBooks } from "#src/prices/price-book.ts";
import { type RateLimiter, startRateLimiter } from "#src/rates/buckets/rate-limiter.ts";
import type { FoldWorker } from "#src/recording/fold-worker.ts";
import type { Meter } from "#src/recording/meter.ts";
import { listReportedModels } from "#src/recording/usage.sql.ts";
import type { UsageTableMaintenance } from "#src/recording/usage-table-maintenance.ts";
import type { ExceededBounds } from "#src/spend/exceeded-bounds/exceeded-bounds.ts";
import type { LeaseSync } from "#src/spend/ledger/lease-sync.ts";
import type { Ledger } from "#src/spend/ledger/ledger.ts";
import type { PersonSpend } from "#src/spend/ledger/person-spend.ts";
import { steadyDays } from "#src/spend/ledger/steady-days.ts";
import { publishMaxConnections } from "#src/system/node-connections.sql.ts";
import { startHealthReports } from "#src/upstreams/report-health.ts";
import type { UpstreamDescription } from "#src/upstreams/upstream.ts";
import { readAppSettings } from "./app-settings.ts";
import { chooseBegin } from "./choose-begin.ts";
import { describeNode } from "./describe-node.ts";
import { makeLoggedReload } from "./logged-reload.ts";
import { findNextSteps, findRootWarning, type NextSteps } from "./next-steps.ts";
import type { OpenedStorage } from "./open-server-storage.ts";
import { joinListener, type ProcessShare } from "./process-share.ts";
import { checkReadiness } from "./readiness.ts";
import { startAccounting } from "./start-accounting.ts";
import { type StartedAudit, startAudit } from "./start-audit.ts";
import { startBatches } from "./start-batches.ts";
import { startDataMaintenance } from "./start-data-maintenance.ts";
import { startExceededBounds } from "./start-exceeded-bounds.ts";
import { startJobs } from "./start-jobs.ts";
import { type StartedKeys, startKeys } from "./start-keys.ts";
import { makeObjects } from "./start-objects.ts";
import { type OnRefused, startRefusals } from "./start-refusals.ts";
import { startReports } from "./start-reports.ts";
import { startTelemetry } from "./start-telemetry.ts";
import { findUpstreamInUse, nameUpstreamVariables, startUpstreams } from "./start-upstreams.ts";
import { makeStopListening } from "./stop-listening.ts";

// Creates and starts all parts in the order of their dependencies, and stops them in the opposite order.

export interface StartOptions {
  loaded: LoadedConfig;
  logger: Logger;
  /** `--simulator`: ignores configured upstreams. */
  isSimulated: boolean;
  /** Storage of the only process of a data folder, or data of one of several. The server closes the storage. */
  place: OpenedStorage | ProcessShare;
  /** Warm-up of this process. The server listens after its end. */
  warming?: Promise<unknown>;
}

export interface RunningServer {
  /** Address of the listener: `http://127.0.0.1:8484`. */
  url: string;
  nextSteps: NextSteps;
  /** Upstream in use. Null while the configured one is not usable. */
  upstream(): UpstreamDescription | null;
  /** Names of the variables that configure an upstream, for people. */
  upstreamVariables: string;
  isDatabaseEmbedded: boolean;
  /** Facts for the operator, one sentence each. */
  warnings: readonly string[];
  /** Resolves with a reason when the server cannot continue. */
  failed: Promise<string>;
  /** Prometheus text of this process only. */
  metrics(): Promise<string>;
  /** Stops accepting, finishes running requests, writes the last records, and releases everything. */
  stop(): Promise<void>;
}

const POLL_CHANGES_MS = 250;
/**
 * While notifications arrive. Every node refuses a revoked key within a second, also when a notification is lost, so a
 * slower poll is not possible.
 */
const POLL_CHANGES_SLOWLY_MS = 750;
/** Time after the drain for the last flush and the return of leases. */
const STOP_WITHIN_MS = 8_000;
/** Maximum number of unlisted model names in reports. */
const MAX_OTHER_MODELS = 200;

/** Starts a server. Throws a StartError with the remedy, after stopping everything. */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  await using parts = new AsyncDisposableStack();
  const server = await startParts(options, parts);
  const started = parts.move();
  return { ...server, stop: () => started.disposeAsync() };
}

async function startParts(
  { loaded, logger, isSimulated, place, warming }: StartOptions,
  parts: AsyncDisposableStack,
): Promise<Omit<RunningServer, "stop">> {
  removeForeignVariables(process.env);
  const { config } = loaded;
  const failure = Promise.withResolvers<string>();
  const onFailure = (reason: string) => {
    process.exitCode = 1;
    failure.resolve(reason);
  };
  const share = "storage" in place ? undefined : place;
  const opened = "storage" in place ? place : null;
  const storage: Storage =
    "storage" in place ? place.storage : connectStorage(place.database, logger, config);
  parts.defer(() => storage.close());
  const { secret, warning } = await openInstallationSecret({
    database: storage.database,
    given: config.secret,
    isDatabaseShared: !storage.isEmbedded,
    dataDir: storage.folder,
  });
  const key = deriveSealingKey(secret);

  const index = share?.index ?? 1;
  const configuredUrl = config.publicUrl?.replace(/\/+$/, "");
  const listening = { url: "" };
  const publicUrl = () => configuredUrl ?? makeBrowserUrl(listening.url);
  const turnEnd = makeTurnEnd();
  const core = await startCore(
    { config, storage, logger, secret, key, isSimulated, index, onFailure, publicUrl, turnEnd },
    parts,
  );
  await publishMaxConnections(storage.database, {
    id: core.nodeId,
    maxConnections: countConnections(config),
  });
  const outgoing = makeOutgoing(config.allowPrivateTargets);
  await warming;
  const surface = { config, storage, logger, core, share, outgoing, publicUrl, turnEnd };
  const surfaces = await startSurfaces(surface, parts);
  listening.url = surfaces.url;
  const jobs = startJobs({
    connectionString: storage.place.connectionString,
    maxConnections: config.jobConnections,
    notifications: core.notifications,
    audit: core.audit,
    publicUrl,
    smtpUrl: config.smtpUrl,
    mailFrom: config.mailFrom,
    outgoing,
    abandoned: storage.abandoned,
    incarnations: storage.incarnations,
    logger,
  });
  parts.defer(async () => {
    // Concurrently, because an endless job must not keep the port open.
    await Promise.all([jobs.stop(), surfaces.stopListening()]);
    storage.scheduleAbandon(STOP_WITHIN_MS);
  });
  const durability = await findDurabilityWarning(storage.database);
  const nextSteps = await findNextSteps(
    { database: storage.database, nowMs: () => core.watch.databaseNowMs(), publicUrl },
    { organizationId: core.organizationId, canCreateLink: index === 1 },
  );
  return {
    url: surfaces.url,
    nextSteps,
    upstream: () => findUpstreamInUse(core.upstreams),
    upstreamVariables: nameUpstreamVariables(config),
    isDatabaseEmbedded: storage.isEmbedded,
    warnings: [warning, durability, findExposure(config), findRootWarning()].filter(
      (warning) => warning !== null,
    ),
    failed: Promise.race([failure.promise, ...(opened === null ? [] : [opened.failed])]),
    metrics: surfaces.metrics,
  };
}

interface CoreOptions {
  config: Config;
  storage: Storage;
  logger: Logger;
  secret: string;
  key: Buffer;
  isSimulated: boolean;
  index: number;
  onFailure: (reason: string) => void;
  /** Address of this server for people, for links in messages. Known once it listens. */
  publicUrl: () => string;
  /** End of turns of this process. */
  turnEnd: TurnEnd;
}

/** Dependencies of a request other than HTTP: keys, prices, spend, the meter and the upstream. */
interface Core extends StartedAudit, StartedKeys {
  watch: ChangeWatch;
  notifications: Notifications;
  reload: ((changed: Changed) => void)[];
  onRefused: OnRefused;
  prices: PriceBooks;
  servedSettings: ServedSettings;
  labels: ModelLabels;
  nodeId: string;
  ledger: Ledger;
  leases: LeaseSync;
  rates: RateLimiter;
  meter: Meter;
  folds: FoldWorker;
  closingLagMs: UsageTableMaintenance["closingLagMs"];
  spendAlerts: SpendAlerts;
  exceededBounds: ExceededBounds;
  personSpend: PersonSpend;
  upstreams: Awaited<ReturnType<typeof startUpstreams>>;
  /** Files, skills and message batches. */
  objects: ObjectServer;
  newestBackup: NewestBackup;
  reportsDatabase: ReportsDatabase;
  /** Database clock for everything that belongs to a period, milliseconds since the epoch. */
  spendNowMs: () => number;
  /** Set when the gateway exists, so that new limits count its running requests. */
  runsOn: { gateway: Gateway | null };
}

async function startCore(options: CoreOptions, parts: AsyncDisposableStack): Promise<Core> {
  const { logger } = options;
  const { database } = options.storage;
  const reload: ((changed: Changed) => void)[] = [];
  const { notifications, watch } = await startWatch(options, parts, reload);
  const nowMs = () => watch.databaseNowMs();
  const onChange = () => watch.pollNow();
  const facts = await startAudit({ ...options, nowMs, onChange }, parts);
  const { audit } = facts;
  const { closingLagMs } = await startDataMaintenance(options, parts);

  const keys = await startKeys({ ...options, watch, facts }, parts, reload);
  const onRefused = startRefusals({ ...options, ...facts }, parts);
  const prices = makePriceBooks({ database });
  const servedSettings = makeServedSettings({ database, rows: audit.rows });
  await Promise.all([prices.reload(), servedSettings.reload()]);
  const upstreams = await startUpstreams(options, parts);
  // Reported names count towards the cap, so that it holds across restarts.
  const labels = makeModelLabels(MAX_OTHER_MODELS, await listReportedModels(database));
  const runsOn: Core["runsOn"] = { gateway: null };
  const spendNowMs = steadyDays(nowMs);
  const alerting = { ...audit, publicUrl: options.publicUrl };
  const spend = { nowMs: spendNowMs, prices, labels, alerting, runsOn, notifications };
  const accounting = await startAccounting({ ...options, version: VERSION, ...spend }, parts);
  const { ledger, leases, nodeId } = accounting;
  parts.defer(startHealthReports({ database, upstreams, nodeId, nowMs, logger }).stop);
  const exceededBounds = await startExceededBounds({ database, alerting, logger }, parts, reload);
  watch.onClockAhead((byMs) => leases.handleClockAhead(byMs));

  const rates = await startRateLimiter({ database, databaseNowMs: nowMs, logger }, parts);

  const newestBackup = await readNewestBackup(database);
  const reportsDatabase = await startReports(options, nowMs, parts);
  const logFailures = makeLoggedReload(logger);
  reload.push(
    () => void facts.recent.read(),
    logFailures(() => prices.reload()),
    logFailures(() => servedSettings.reload()),
    logFailures(() => ledger.refresh()),
    logFailures(() => rates.refresh()),
    (changed) => accounting.spendAlerts.forget(changed),
    logFailures(() => upstreams.reload()),
    logFailures(() => newestBackup.reload()),
  );
  const access = { watch, reload, notifications, ...keys, onRefused };
  const counted = { ...accounting, closingLagMs, rates, newestBackup, spendNowMs, runsOn };
  const publicUrl = () => findClientUrl(options.config, options.publicUrl);
  const followed = { ...options, ...accounting, prices, labels, upstreams, spendNowMs, publicUrl };
  const objects = makeObjects({
    ...{ database, logger, nowMs },
    startBatches: (references) => startBatches({ ...followed, notifications, references }, parts),
  });
  const read = {
    objects,
    prices,
    exceededBounds,
    servedSettings,
    labels,
    upstreams,
    reportsDatabase,
  };
  return { ...facts, ...read, ...access, ...counted };
}

/** Starts to watch changes by other nodes, which call each function of `reload`. */
async function startWatch(
  { storage, logger }: CoreOptions,
  parts: AsyncDisposableStack,
  reload: readonly ((changed: Changed) => void)[],
): Promise<Pick<Core, "notifications" | "watch">> {
  const { database, place } = storage;
  const shared = { database, clock: systemClock, logger };
  const notifications = startNotifications({
    ...shared,
    connectionString: place.connectionString,
    incarnations: storage.incarnations,
  });
  parts.defer(() => notifications.stop());
  const watch = watchChanges({
    ...shared,
    intervalMs: POLL_CHANGES_MS,
    slowIntervalMs: POLL_CHANGES_SLOWLY_MS,
    notifications,
    incarnations: storage.incarnations,
    onChange: (changed) => {
      for (const each of reload) each(changed);
    },
  });
  parts.defer(() => watch.stop());
  await watch.ready;
  return { notifications, watch };
}

interface SurfaceOptions {
  config: Config;
  storage: Storage;
  logger: Logger;
  core: Core;
  share: ProcessShare | undefined;
  outgoing: Outgoing;
  publicUrl: () => string;
  /** End of turns of this process. */
  turnEnd: TurnEnd;
}

interface Surfaces {
  url: string;
  /** Prometheus text of this process only. */
  metrics: () => Promise<string>;
  /** Accepts no new requests and resolves when running ones are finished. Idempotent. */
  stopListening: () => Promise<void>;
}

/** Starts the HTTP side: gateway, Admin API, the listener of both, and the admin socket. */
async function startSurfaces(
  { config, storage, logger, core, share, outgoing, publicUrl, turnEnd }: SurfaceOptions,
  parts: AsyncDisposableStack,
): Promise<Surfaces> {
  const metrics = makeMetricsOf(core, () => gateway, { share, folder: storage.folder });
  const client = makeClientFacts(config.trustedProxies);
  const gateway = makeGateway({
    ...core.credentials,
    users: core.users,
    keyUse: core.keyUses.keyUse,
    clientAddress: client.clientAddress,
    ledger: core.ledger,
    leases: core.leases,
    exceededBounds: core.exceededBounds,
    rates: core.rates,
    personSpend: core.personSpend,
    onLimitReached: (limit) => core.spendAlerts.reportReachedLimit(limit),
    onRefused: (refused) => core.onRefused(refused, metrics),
    meter: core.meter,
    ...chooseBegin(config, core.meter),
    prices: core.prices,
    labels: core.labels,
    ...{ upstreams: core.upstreams, objects: core.objects },
    publicUrl: () => findClientUrl(config, publicUrl),
    databaseNowMs: core.spendNowMs,
    metrics,
    newRequestId: () => newId(idPrefixes.request, core.watch.databaseNowMs()),
    clock: systemClock,
    idleTimeoutMs: config.upstreamIdleMs,
    answerTimeoutMs: config.upstreamAnswerMs,
    logger,
  });
  core.runsOn.gateway = gateway;
  const background = startBackground(logger, parts);
  let local: LocalListener | null = null;
  const admin = await makeAdminApp({
    ...core.audit,
    ...outgoing,
    publicUrl,
    ...readAppSettings(config),
    operatorOrganizationId: core.organizationId,
    sessions: makeSessions(core.audit),
    lostRestrictions: core.failovers,
    background,
    isLocalOperator: (socket) => local?.operatorUid(socket) ?? null,
    ...client,
    ...{ reportsDatabase: core.reportsDatabase, servedSettings: core.servedSettings },
    ...{ ...core.keyUses, ...core.credentials, upstreams: core.upstreams },
    personSpend: core.personSpend,
    telemetry: await startTelemetry(core, { ...outgoing, config, metrics, logger }, parts),
    isBusy: () => gateway.stats().inFlight > 0,
    onDenied: (caller, route, origin, refusal) =>
      core.audit.denials.record({ caller, route, origin, refusal }),
    isDatabaseAway: isUnavailable,
    consoleFolder: fileURLToPath(new URL("../../../console/dist", import.meta.url)),
    readiness: async () => checkReadiness({ ...core, config, gateway }),
    metrics: share
      ? { ...metrics, text: async () => share.collectMetrics(await metrics.text()) }
      : metrics,
    version: VERSION,
    node: describeNode({ config, storage, core }, () => gateway),
    logger,
  });
  parts.defer(() => admin.close());

  const adminSocket = await listenLocally(adminSocketPath(storage, share), admin.routing);
  local = adminSocket;
  parts.defer(() => adminSocket.close());
  const { handles, handle, ...requests } = dispatch(gateway, admin, core.forms);
  const sockets = config.http === "sockets" ? { turnEnd, handles, handle } : null;
  const served = { tls: readTls(config), sockets, ...requests };
  const address = { host: config.host, port: config.port };
  const listener = share ? joinListener(share, served) : await listen({ ...address, ...served });
  const stopListening = makeStopListening({ listener, gateway, drainMs: config.drainMs });
  parts.defer(stopListening);
  return { url: listener.url, metrics: metrics.text, stopListening };
}

function startBackground(logger: Logger, parts: AsyncDisposableStack): Background {
  const background = makeBackground((error) =>
    logger.error({ err: error }, "work after a response failed"),
  );
  parts.defer(() => background.waitUntilIdle());
  return background;
}

function adminSocketPath({ folder }: Storage, share: ProcessShare | undefined): string {
  return getSocketPath(folder, share ? socketName("admin-process", share.index) : "admin.sock");
}

/** Remote clients may use another address than the listener's. Null: unknown. */
function findClientUrl(config: Config, publicUrl: () => string): string | null {
  return config.publicUrl !== undefined || isOnlyLocal(config) ? publicUrl() : null;
}

function makeMetricsOf(
  core: Core,
  gateway: () => Gateway,
  { share, folder }: { share: ProcessShare | undefined; folder: string },
): Metrics {
  return makeMetrics({
    inFlight: () => gateway().stats().inFlight,
    pendingRecords: () => core.meter.status().pendingRecords,
    oldestPendingMs: () => core.meter.status().oldestPendingMs,
    foldLagMs: () => core.folds.lagMs,
    closingLagMs: core.closingLagMs,
    journal: () => core.meter.status().journal,
    diskFreeBytes: () => readFreeBytes(folder),
    databaseSilenceMs: () => core.watch.msSinceContact(),
    waitingHolds: () => core.leases.status().waiting,
    streamHolds: () => core.leases.sumStreams(),
    brokenAuditLogs: () => core.audit.chains.countBroken(),
    unsignedRows: () => core.audit.rows.countRefused(),
    incarnation: () => core.failovers.incarnation,
    failovers: () => core.failovers.count,
    newestBackupMs: () => core.newestBackup.madeAtMs(),
    reports: () => core.reportsDatabase.status(),
    ...(share && { process: share.index }),
  });
}
