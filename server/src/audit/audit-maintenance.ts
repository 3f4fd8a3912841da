import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "#src/lib/logger.ts";
import type { AuditDeps } from "./audited-transaction.ts";
import { deleteOldClaims } from "./claimed-changes.ts";
import type { DenialLog } from "./denials.ts";
import { pruneAuditLog } from "./prune.ts";
import type { ChainWatch } from "./watch-chains.ts";

export interface AuditMaintenance {
  /** Writes what is still counted, and stops. */
  stop(): Promise<void>;
}

export interface AuditMaintenanceDeps extends AuditDeps {
  denials: DenialLog;
  chains: ChainWatch;
  logger: Logger;
}

const MINUTE_MS = 60_000;
const PRUNE_EVERY = 60; // minutes
/** Between two pieces of a long chain that is read from its beginning: about 5,000 events a second at most. */
const PIECE_PAUSE_MS = 1_000;

/** What is done with the log and its neighbours once a minute, on every node; one that fails is tried a minute later. */
export function startAuditMaintenance(deps: AuditMaintenanceDeps): AuditMaintenance {
  const stopping = new AbortController();
  const pause = (ms: number) =>
    delay(ms, undefined, { signal: stopping.signal }).catch(() => undefined);

  async function quietly(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!stopping.signal.aborted) deps.logger.warn({ err: error }, `${what} failed`);
    }
  }

  async function checkChains(): Promise<void> {
    while (!stopping.signal.aborted && !(await deps.chains.check())) await pause(PIECE_PAUSE_MS);
  }

  async function runMinutes(): Promise<void> {
    for (let minute = 0; !stopping.signal.aborted; minute++) {
      await quietly("writing refusals", () => deps.denials.flush());
      await quietly("wiping kept answers", () => deleteOldClaims(deps));
      if (minute % PRUNE_EVERY === 0)
        await quietly("pruning the audit log", () => pruneAuditLog(deps));
      await pause(MINUTE_MS);
    }
  }

  /** Apart from the others: the first reading of a long log takes minutes. */
  async function runChecks(): Promise<void> {
    while (!stopping.signal.aborted) {
      await quietly("checking the audit log", checkChains);
      await pause(MINUTE_MS);
    }
  }

  const running = Promise.all([runMinutes(), runChecks()]);
  return {
    stop: async () => {
      stopping.abort();
      await running;
      await quietly("writing refusals", () => deps.denials.flush());
    },
  };
}
