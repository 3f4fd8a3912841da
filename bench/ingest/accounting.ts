import type { LeaseSync } from "../../server/src/spend/ledger/lease-sync.ts";
import type { NodeStart } from "./messages.ts";
import type { NodeModules } from "./product.ts";

// The product's accounting without its gateway. Follows `startCore` of server/src/process/wiring.ts.

const POLL_CHANGES_MS = 250;
const MAX_OTHER_MODELS = 200;

export async function startNodeAccounting(
  modules: NodeModules,
  { folder, connectionString, index, nodes }: NodeStart,
  parts: AsyncDisposableStack,
) {
  const { systemClock } = modules;
  const logger = modules.makeLogger("warn", process.stderr);
  const environment = { BURSAR_DATA_DIR: folder, BURSAR_PROCESSES: String(nodes) };
  const { config } = modules.loadConfig(environment, folder);
  const place = { connectionString, folder, isEmbedded: true };
  const storage = modules.connectStorage(place, logger);
  parts.defer(() => storage.close());
  const { database } = storage;
  const notifications = modules.notifying?.startNotifications({
    database,
    connectionString,
    clock: systemClock,
    logger,
  });
  parts.defer(() => notifications?.stop());
  const reload: Parameters<NodeModules["watchChanges"]>[0]["onChange"][] = [];
  const watch = modules.watchChanges({
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
  const secret = await modules.resolveSecret({
    given: undefined,
    isDatabaseShared: false,
    dataDir: folder,
  });
  const audit = await modules.openAuditLog({
    database: storage.adminDatabase,
    nowMs: () => watch.databaseNowMs(),
    randomBytes: modules.systemRandomBytes,
    secret,
    folder,
    index,
    logger,
  });
  parts.defer(() => audit.witness.stop());
  const prices = modules.makePriceBooks({ database });
  await prices.reload();
  const labels = modules.makeModelLabels(
    MAX_OTHER_MODELS,
    await modules.listReportedModels(database),
  );
  const nowMs = modules.steadyDays(() => watch.databaseNowMs());
  const accounting = await modules.startAccounting(
    {
      config,
      storage,
      logger,
      index,
      nowMs,
      onFailure: fail,
      version: "bench",
      prices,
      labels,
      alerting: { ...audit, publicUrl: () => "http://127.0.0.1" },
      runsOn: { gateway: null },
      ...(notifications !== undefined && { notifications }),
    },
    parts,
  );
  reload.push(
    () => void prices.reload(),
    () => void accounting.ledger.refresh(),
    (changed) => accounting.spendAlerts.forget(changed),
  );
  const { meter, ledger, leases } = accounting;
  const ignore = () => undefined;
  const metrics = { observeOverrun: ignore, observeDoubt: ignore, observeCut: ignore };
  return { meter, ledger, leases, nowMs, settleDeps: { prices, labels, metrics, logger } };
}

function fail(reason: string): void {
  console.error(reason);
  process.exit(1);
}

export type NodeAccounting = Awaited<ReturnType<typeof startNodeAccounting>>;
export type HoldResult = Awaited<ReturnType<LeaseSync["hold"]>>;
