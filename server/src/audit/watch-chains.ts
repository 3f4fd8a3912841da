import type { Logger } from "#src/lib/logger.ts";
import { listAuditHeads } from "./audit.sql.ts";
import { type BrokenChain, type Verified, type VerifyDeps, verifyStep } from "./verify-chain.ts";
import type { Witness } from "./witness.ts";

/** What this node has verified of an organization's chain by itself. */
export interface ChainReport {
  /** The newest event up to which every hash was computed again, or null before the first check came to the end. */
  verified: Verified | null;
  /** When a check last came to the end of the chain, milliseconds since the epoch. */
  checkedAtMs: number | null;
  firstBroken: BrokenChain | null;
}

export interface ChainWatch {
  reportOf(organizationId: string): ChainReport;
  /** Organizations whose chain was found broken. */
  countBroken(): number;
  /** Verifies what is new of every chain, or some more of one that has not been read to its end. True when all are read. */
  check(): Promise<boolean>;
}

/** A chain is read from its beginning again this often: what was right may have been changed since. */
const WHOLE_EVERY_MS = 24 * 3_600_000;
/** Of one check, so that a long chain is read in pieces. */
const MAX_EVENTS = 5_000;

interface Progress {
  report: ChainReport;
  /** How far the check that is under way has come; null begins anew. */
  place: Verified | null;
  beganAtMs: number;
}

export function makeChainWatch(
  deps: VerifyDeps & { nowMs: () => number; witness: Witness; logger: Logger },
): ChainWatch {
  const progressOf = new Map<string, Progress>();
  const nothing: ChainReport = { verified: null, checkedAtMs: null, firstBroken: null };

  async function checkOne(organizationId: string): Promise<boolean> {
    const nowMs = deps.nowMs();
    const known = progressOf.get(organizationId);
    const isStale = known !== undefined && nowMs - known.beganAtMs >= WHOLE_EVERY_MS;
    const progress: Progress =
      known === undefined || (isStale && known.place === known.report.verified)
        ? { report: known?.report ?? nothing, place: null, beganAtMs: nowMs }
        : known;
    const step = await verifyStep(deps, {
      organizationId,
      anchor: deps.witness.anchorOf(organizationId),
      from: progress.place,
      maxEvents: MAX_EVENTS,
    });
    if (step.kind === "broken") {
      reportBroken(organizationId, progress, step);
      return true;
    }
    const { verified, isAtEnd } = step;
    const report = isAtEnd ? { verified, checkedAtMs: nowMs, firstBroken: null } : progress.report;
    progressOf.set(organizationId, { ...progress, report, place: verified });
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
    // From the beginning next time: an operator may have put it right.
    progressOf.set(organizationId, { report, place: null, beganAtMs: deps.nowMs() });
  }

  return {
    reportOf: (organizationId) => progressOf.get(organizationId)?.report ?? nothing,
    countBroken: () =>
      [...progressOf.values()].filter(({ report }) => report.firstBroken !== null).length,
    check: async () => {
      let areAllRead = true;
      for (const { organizationId } of await listAuditHeads(deps.database)) {
        areAllRead = (await checkOne(organizationId)) && areAllRead;
      }
      return areAllRead;
    },
  };
}
