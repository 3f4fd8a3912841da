import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "#src/lib/logger.ts";
import { deleteOldChanges } from "#src/signed-rows/changed-rows.sql.ts";
import type { AuditDeps } from "./audited-transaction.ts";
import { beginSignedRows } from "./begin-signed-rows.ts";
import { deleteExpiredClaims } from "./claimed-changes.ts";
import type { DenialLog } from "./denials.ts";
import { pruneAuditLog } from "./prune.ts";
import type { ChainWatch } from "./watch-chains.ts";
import type { Witness } from "./witness.ts";

export interface AuditMaintenance {
  /** Writes the counted refusals, and stops. */
  stop(): Promise<void>;
}

export interface AuditMaintenanceDeps extends AuditDeps {
  denials: DenialLog;
  chains: ChainWatch;
  witness: Witness;
  logger: Logger;
}

const MINUTE_MS = 60_000;
const PRUNE_EVERY = 60; // minutes
/** Pause between two parts of a long chain. Limits a verification to about 5,000 events per second. */
const PIECE_PAUSE_MS = 1_000;

/** Maintains the audit log once a minute, on every node. A failed task is retried a minute later. */
export function startAuditMaintenance(deps: AuditMaintenanceDeps): AuditMaintenance {
  const stopping = new AbortController();
  const pause = (ms: number) =>
    delay(ms, undefined, { signal: stopping.signal }).catch(() => undefined);

  async function runAndLogFailure(task: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!stopping.signal.aborted) deps.logger.warn({ err: error }, `${task} failed`);
    }
  }

  async function checkChains(): Promise<void> {
    while (!stopping.signal.aborted && !(await deps.chains.check())) await pause(PIECE_PAUSE_MS);
  }

  async function runMinutes(): Promise<void> {
    for (let minute = 0; !stopping.signal.aborted; minute++) {
      await runAndLogFailure("writing refusals", () => deps.denials.flush());
      await runAndLogFailure("deleting expired claims", () => deleteExpiredClaims(deps));
      await runAndLogFailure("signing rows", () => beginSignedRows(deps));
      await runAndLogFailure("deleting old row changes", () => deleteOldChanges(deps.database));
      if (minute % PRUNE_EVERY === 0)
        await runAndLogFailure("pruning the audit log", () => pruneAuditLog(deps));
      await pause(MINUTE_MS);
    }
  }

  /** Runs beside the other tasks, because the first verification of a long log takes minutes. */
  async function runChecks(): Promise<void> {
    while (!stopping.signal.aborted) {
      await runAndLogFailure("verifying the audit log", checkChains);
      await pause(MINUTE_MS);
    }
  }

  const running = Promise.all([runMinutes(), runChecks()]);
  return {
    stop: async () => {
      stopping.abort();
      await running;
      await runAndLogFailure("writing refusals", () => deps.denials.flush());
    },
  };
}
