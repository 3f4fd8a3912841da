import type { getSystem } from "@bursar/contract/admin/system.ts";
import type { z } from "zod";
import type { Finding } from "./finding.ts";

type System = z.output<typeof getSystem.response>;

/** Names the replication in use, and each promise that does not hold. */
export function checkReplication(replication: System["replication"]): Finding[] {
  const check = "replication";
  if (replication === null) {
    const detail = "unknown, because PostgreSQL refuses to report it";
    return [{ check, ok: true, is_note: true, detail }];
  }
  const standbys = replication.standbys.map(describeStandby);
  const detail = [replication.promise, ...standbys].join("; ");
  return [
    { check, ok: true, detail },
    ...replication.problems.map(({ is_fault, message }) =>
      is_fault
        ? { check, ok: false, detail: message }
        : { check, ok: true, is_note: true, detail: message },
    ),
  ];
}

type Standby = NonNullable<System["replication"]>["standbys"][number];

/** `standby "db-2": sync, 0.2 s behind`. */
function describeStandby({ name, state, sync_state, lag_seconds, lag_bytes }: Standby): string {
  const facts = [
    sync_state,
    state === "streaming" ? null : state,
    lag_seconds !== null ? `${lag_seconds.toFixed(1)} s behind` : null,
    lag_seconds === null && lag_bytes !== null ? `${lag_bytes} bytes behind` : null,
  ].filter((fact) => fact !== null);
  return `standby "${name}": ${facts.length === 0 ? "state hidden" : facts.join(", ")}`;
}

/** Tells where reports are read. Only a wrong address is a fault, because the primary replaces the replica. */
export function checkReports(reports: System["reports_database"]): Finding[] {
  const check = "reports";
  if (reports === null) return [];
  const { fault, message, error_code, lag_seconds } = reports;
  const lag = lag_seconds === null ? "" : `, ${lag_seconds.toFixed(1)} s behind`;
  if (fault === null) return [{ check, ok: true, detail: `read from the replica${lag}` }];
  const code = error_code === null ? "" : ` (${error_code})`;
  const detail = `read from the primary: ${message}${code}`;
  return [
    fault === "another_database"
      ? { check, ok: false, detail }
      : { check, ok: true, is_note: true, detail },
  ];
}
