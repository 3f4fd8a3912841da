import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

// Loads modules of one checkout, so that one driver measures several revisions. The types are those of this tree. An
// option that an older revision does not know is ignored there. A function that changed its shape is adapted in
// accounting.ts or database.ts.

function loadFrom(source: string) {
  return <Module>(path: string): Promise<Module> => import(pathToFileURL(join(source, path)).href);
}

/** Modules that a node process needs. */
export async function loadNodeModules(source: string) {
  const load = loadFrom(source);
  return {
    ...(await load<typeof import("../../server/src/config.ts")>("server/src/config.ts")),
    ...(await load<typeof import("../../server/src/db/storage.ts")>("server/src/db/storage.ts")),
    ...(await load<typeof import("../../server/src/db/change-watch.ts")>(
      "server/src/db/change-watch.ts",
    )),
    ...(await load<typeof import("../../server/src/db/installation-secret.ts")>(
      "server/src/db/installation-secret.ts",
    )),
    ...(await load<typeof import("../../server/src/audit/open-audit-log.ts")>(
      "server/src/audit/open-audit-log.ts",
    )),
    ...(await load<typeof import("../../server/src/prices/price-book.ts")>(
      "server/src/prices/price-book.ts",
    )),
    ...(await load<typeof import("../../server/src/domain/usage.ts")>(
      "server/src/domain/usage.ts",
    )),
    ...(await load<typeof import("../../server/src/domain/model-labels.ts")>(
      "server/src/domain/model-labels.ts",
    )),
    ...(await load<typeof import("../../server/src/recording/usage.sql.ts")>(
      "server/src/recording/usage.sql.ts",
    )),
    ...(await load<typeof import("../../server/src/spend/ledger/steady-days.ts")>(
      "server/src/spend/ledger/steady-days.ts",
    )),
    ...(await load<typeof import("../../server/src/process/start-accounting.ts")>(
      "server/src/process/start-accounting.ts",
    )),
    ...(await load<typeof import("../../server/src/gateway/settle.ts")>(
      "server/src/gateway/settle.ts",
    )),
    ...(await load<typeof import("../../server/src/lib/clock.ts")>("server/src/lib/clock.ts")),
    ...(await load<typeof import("../../server/src/lib/ids.ts")>("server/src/lib/ids.ts")),
    ...(await load<typeof import("../../server/src/lib/logger.ts")>("server/src/lib/logger.ts")),
    notifying: await loadNotifying(source),
  };
}

/** Version 0.1 polls the database. */
async function loadNotifying(source: string) {
  const path = "server/src/db/notifications.ts";
  if (!existsSync(join(source, path))) return null;
  return loadFrom(source)<typeof import("../../server/src/db/notifications.ts")>(path);
}

export type NodeModules = Awaited<ReturnType<typeof loadNodeModules>>;

/** Modules that the driver itself needs: the database, limits, reports and checks. */
export async function loadDatabaseModules(source: string) {
  const load = loadFrom(source);
  return {
    ...(await load<typeof import("../../server/src/db/storage.ts")>("server/src/db/storage.ts")),
    ...(await load<typeof import("../../server/src/db/installation-secret.ts")>(
      "server/src/db/installation-secret.ts",
    )),
    ...(await load<typeof import("../../server/src/audit/open-audit-log.ts")>(
      "server/src/audit/open-audit-log.ts",
    )),
    ...(await load<typeof import("../../server/src/organizations/organizations.ts")>(
      "server/src/organizations/organizations.ts",
    )),
    ...(await load<typeof import("../../server/src/alerts/rules/default-alerts.ts")>(
      "server/src/alerts/rules/default-alerts.ts",
    )),
    ...(await load<typeof import("../../server/src/recording/usage-table-maintenance.ts")>(
      "server/src/recording/usage-table-maintenance.ts",
    )),
    ...(await load<typeof import("../../server/src/spend/limits/spend-limits.ts")>(
      "server/src/spend/limits/spend-limits.ts",
    )),
    ...(await load<typeof import("../../server/src/usage/reports/usage.ts")>(
      "server/src/usage/reports/usage.ts",
    )),
    ...(await load<typeof import("../../server/src/spend/check/verify.sql.ts")>(
      "server/src/spend/check/verify.sql.ts",
    )),
    ...(await load<typeof import("../../server/src/recording/verify.sql.ts")>(
      "server/src/recording/verify.sql.ts",
    )),
    ...(await load<typeof import("../../server/src/lib/ids.ts")>("server/src/lib/ids.ts")),
    ...(await load<typeof import("../../server/src/lib/logger.ts")>("server/src/lib/logger.ts")),
    closing: await loadClosing(source),
  };
}

/** Version 0.1 writes every rollup at once and closes no hours. */
async function loadClosing(source: string) {
  const path = "server/src/recording/close-hours.ts";
  if (!existsSync(join(source, path))) return null;
  return loadFrom(source)<typeof import("../../server/src/recording/close-hours.ts")>(path);
}

export type DatabaseModules = Awaited<ReturnType<typeof loadDatabaseModules>>;

/** The reports of the same checkout. */
export async function loadReportModules(source: string) {
  const load = loadFrom(source);
  return load<typeof import("../report-cases.ts")>("bench/report-cases.ts");
}

/** The history of the same checkout, which follows its tables, and the parts that create its database. */
export async function loadHistoryModules(source: string) {
  const load = loadFrom(source);
  return {
    ...(await load<typeof import("../history.ts")>("bench/history.ts")),
    ...(await load<typeof import("../../server/src/db/embedded-postgres.ts")>(
      "server/src/db/embedded-postgres.ts",
    )),
    ...(await load<typeof import("../../server/src/db/migrate.ts")>("server/src/db/migrate.ts")),
    ...(await load<typeof import("../../server/src/lib/process-lock.ts")>(
      "server/src/lib/process-lock.ts",
    )),
  };
}
