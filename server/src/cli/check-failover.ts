import type { system } from "@bursar/contract/admin/system.ts";
import type { z } from "zod";
import type { Finding } from "./finding.ts";

type NewestFailover = z.output<typeof system>["newest_failover"];

const reasons = {
  timeline: "a standby was promoted",
  system: "the data moved to another server",
  rollback: "the database went back to an earlier state",
} as const;

/** Describes the newest failover. A note for 24 hours, and a fault while this node's records are missing. */
export function checkFailover(failover: NewestFailover): Finding {
  if (failover === null) return { check: "failover", ok: true, detail: "none" };
  const { incarnation, reason, at, awaited_nodes: awaited } = failover;
  const { appended_records: appended, missing_records: missing } = failover;
  const facts = [
    `incarnation ${incarnation} since ${at}: ${reasons[reason]}`,
    ...(appended > 0 ? [`${appended} lost records of this node are appended again`] : []),
    ...(missing > 0 ? [`${missing} records of this node are still missing`] : []),
    ...(awaited.length > 0 ? [`limits wait for the leases of ${awaited.join(", ")}`] : []),
    ...(failover.is_recent
      ? ["check recent changes: `./bursar audit verify` and the audit log"]
      : []),
  ];
  const is_note = failover.is_recent || awaited.length > 0;
  return { check: "failover", ok: missing === 0, is_note, detail: facts.join("; ") };
}
