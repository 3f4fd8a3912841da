import type { Logger } from "#src/lib/logger.ts";
import { listAuditHeads } from "./audit.sql.ts";
import { type BrokenChain, type Verified, type VerifyDeps, verifyStep } from "./verify-chain.ts";
import type { Witness } from "./witness.ts";

/** Part of an organization's chain that this node has verified. */
export interface ChainReport {
  /** Last verified event. Null: the first check has not reached the end. */
  verified: Verified | null;
  /** Time when a check last reached the end of the chain, milliseconds since the epoch. */
  checkedAtMs: number | null;
  firstBroken: BrokenChain | null;
}

export interface ChainWatch {
  getReport(organizationId: string): ChainReport;
  /** Returns the number of organizations with a broken chain. */
  countBroken(): number;
  /** Verifies the next part of every chain. Returns true when all ends are reached. */
  check(): Promise<boolean>;
}

/** Interval of complete verifications, because verified events can be changed later. */
const WHOLE_EVERY_MS = 24 * 3_600_000;
/** Most events of one check, so that a long chain is read in parts. */
const MAX_EVENTS = 5_000;

interface Progress {
  report: ChainReport;
  /** Position of the running check. Null: start again. */
  place: Verified | null;
  beganAtMs: number;
}

export function makeChainWatch(
  deps: VerifyDeps & {
    nowMs: () => number;
    /** See `AuditDeps`. */
    beforeAppend: () => Promise<void>;
    witness: Witness;
    logger: Logger;
  },
): ChainWatch {
  const progressById = new Map<string, Progress>();
  const emptyReport: ChainReport = { verified: null, checkedAtMs: null, firstBroken: null };

  async function checkOne(organizationId: string): Promise<boolean> {
    const nowMs = deps.nowMs();
    const known = progressById.get(organizationId);
    const isStale = known !== undefined && nowMs - known.beganAtMs >= WHOLE_EVERY_MS;
    const progress: Progress =
      known === undefined || (isStale && known.place === known.report.verified)
        ? { report: known?.report ?? emptyReport, place: null, beganAtMs: nowMs }
        : known;
    const step = await verifyStep(deps, {
      organizationId,
      anchor: deps.witness.findAnchor(organizationId),
      from: progress.place,
      maxEvents: MAX_EVENTS,
    });
    if (step.kind === "broken") {
      reportBroken(organizationId, progress, step);
      return true;
    }
    const { verified, isAtEnd } = step;
    const report = isAtEnd ? { verified, checkedAtMs: nowMs, firstBroken: null } : progress.report;
    progressById.set(organizationId, { ...progress, report, place: verified });
    if (isAtEnd) deps.witness.confirm(organizationId, verified);
    return isAtEnd;
  }

  function reportBroken(organizationId: string, progress: Progress, found: BrokenChain): void {
    const previous = progress.report.firstBroken;
    if (previous?.seq !== found.seq || previous.reason !== found.reason) {
      deps.logger.error(
        { organizationId, seq: String(found.seq), reason: found.reason },
        "the audit log has been tampered with",
      );
    }
    const report = { ...progress.report, firstBroken: found, checkedAtMs: deps.nowMs() };
    // Starts again next time, because an operator can repair the chain.
    progressById.set(organizationId, { report, place: null, beganAtMs: deps.nowMs() });
  }

  return {
    getReport: (organizationId) => progressById.get(organizationId)?.report ?? emptyReport,
    countBroken: () =>
      [...progressById.values()].filter(({ report }) => report.firstBroken !== null).length,
    check: async () => {
      let areAllRead = true;
      await deps.beforeAppend();
      for (const { organizationId } of await listAuditHeads(deps.database)) {
        areAllRead = (await checkOne(organizationId)) && areAllRead;
      }
      return areAllRead;
    },
  };
}
