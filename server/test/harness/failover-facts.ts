import { type Failover, readReadiness, TIGHT, WIDE } from "./failover-run.ts";
import { checkRound, type RoundMoney } from "./limit-checks.ts";
import type { LimitLoad, Planned } from "./limit-load.ts";
import { sendMessage } from "./server-process.ts";

// Facts about nodes after a failover, for tests and for the drill.

/** Figures of one failover. */
export interface FailoverFigures {
  /** Requests that reached the upstream. Each has one record. */
  reached: number;
  wide: RoundMoney;
  tight: RoundMoney;
  /** Longest response under the wide limit beyond the upstream's own time, milliseconds. */
  slowestMs: number;
  /** Lost events that the audit log reports. Null: it has no failover. */
  lostEvents: number | null;
}

/** State that a failover may not change. */
export interface FailoverState {
  /** Refused requests under the wide limit, by status. */
  refused: Record<string, number>;
  /** Log messages that report a second process, or tampering. */
  falseMessages: string[];
  /** Responses of `/readyz` other than 200, of nodes that were not killed. */
  notReady: string[];
  /** Distinct statuses of the revoked key, over all nodes. */
  revokedKeyStatuses: number[];
  isRevokedInDatabase: boolean;
  /** Alerts that fired more than once for a scope and a threshold. */
  repeatedFirings: string[];
  isLedgerCorrect: boolean;
  isAuditLogIntact: boolean;
}

export const expectedState: FailoverState = {
  refused: {},
  falseMessages: [],
  notReady: [],
  revokedKeyStatuses: [401],
  isRevokedInDatabase: true,
  repeatedFirings: [],
  isLedgerCorrect: true,
  isAuditLogIntact: true,
};

/** Messages that are false in every failover. */
const FALSE_MESSAGES = [/Another process runs under/, /tamper/];

export interface FailoverPromise {
  /** Whether leases can be lost. */
  mayOverrun: boolean;
  /** Whether the journals were in the database. The killed node's last records can then be lost. */
  isJournalInDatabase?: boolean;
}

/** Throws an Error that names the first fault in records or balances. */
export async function readFailoverFigures(
  failover: Failover,
  { mayOverrun, isJournalInDatabase = false }: FailoverPromise,
): Promise<FailoverFigures> {
  const { db, load, wide, tight, reached, killed, lossStartMs } = failover;
  const lostJournal = { node: killed.node, sinceMs: lossStartMs };
  const check = (round: number, workspaceId: string) =>
    checkRound(db, load, {
      round,
      workspaceId,
      reached: reached.filter((name) => load.sent.get(name)?.round === round),
      faults: { killed },
      mayOverrun,
      ...(isJournalInDatabase && { lostJournal }),
    });
  return {
    reached: reached.length,
    wide: await check(WIDE, wide.workspaceId),
    tight: await check(TIGHT, tight.workspaceId),
    slowestMs: Math.max(...listAnswered(load, WIDE).map(measureAddedMs)),
    lostEvents: await readLostEvents(failover),
  };
}

/** A node that remembers more events adds another failover to the log. */
async function readLostEvents({ nodes }: Failover): Promise<number | null> {
  const log = await nodes[0]?.mustAdmin("GET", "/v1/admin/audit_log/verification");
  const failovers = log?.["failovers"] as { lost_events: number }[];
  return failovers.reduce<number | null>(
    (most, { lost_events }) => Math.max(most ?? 0, lost_events),
    null,
  );
}

export async function readFailoverState(failover: Failover): Promise<FailoverState> {
  const { nodes, load, lost, readiness, killedOutput } = failover;
  const [first] = nodes;
  if (first === undefined) throw new Error("there is no node");
  const key = await first.mustAdmin("GET", `/v1/admin/api_keys/${lost.apiKeyId}`);
  const ledger = await first.mustAdmin("GET", "/v1/admin/ledger_check");
  const auditLog = await first.mustAdmin("GET", "/v1/admin/audit_log/verification");
  const statuses = await Promise.all(
    nodes.map(async ({ url }) => (await sendMessage(url, lost.key)).status),
  );
  const readinessNow = await Promise.all(nodes.map(({ url }) => readReadiness(url)));
  const outputs = [...nodes.map((node) => node.output()), killedOutput];
  return {
    refused: countByStatus(listRefused(load, WIDE)),
    falseMessages: outputs.flatMap(listFalseMessages),
    notReady: [...readiness, ...readinessNow].filter((each) => !each.startsWith("200 ")),
    revokedKeyStatuses: [...new Set(statuses)],
    isRevokedInDatabase: key["status"] === "archived",
    repeatedFirings: listRepeatedFirings(failover),
    isLedgerCorrect: ledger["is_correct"] === true,
    isAuditLogIntact: auditLog["is_intact"] === true,
  };
}

function listRefused({ sent }: LimitLoad, round: number): Planned[] {
  return [...sent.values()].filter(
    (one) => one.round === round && one.status !== null && one.status !== 200,
  );
}

function listAnswered({ sent }: LimitLoad, round: number): Planned[] {
  return [...sent.values()].filter((one) => one.round === round && one.completedAtMs !== null);
}

function measureAddedMs({ completedAtMs, sentAtMs, answerMs }: Planned): number {
  return (completedAtMs ?? sentAtMs) - sentAtMs - answerMs;
}

function countByStatus(refused: readonly Planned[]): Record<string, number> {
  const groups = Object.groupBy(refused, ({ status }) => String(status));
  return Object.fromEntries(
    Object.entries(groups).map(([status, list]) => [status, list?.length ?? 0]),
  );
}

function listFalseMessages(output: string): string[] {
  return output.split("\n").filter((line) => FALSE_MESSAGES.some((known) => known.test(line)));
}

/** Lists subjects of alerts with more than one firing. Each firing may send its message again under its id. */
function listRepeatedFirings({ receiver }: Failover): string[] {
  const idsBySubject = new Map<string, Set<string>>();
  for (const { body } of receiver.received) {
    const { data } = JSON.parse(body) as { data: Fired };
    const subject = `${data.alert.name}, ${data.scope_name}, ${data.threshold}`;
    idsBySubject.set(subject, (idsBySubject.get(subject) ?? new Set()).add(data.id));
  }
  return [...idsBySubject].filter(([, ids]) => ids.size > 1).map(([subject]) => subject);
}

interface Fired {
  id: string;
  alert: { name: string };
  scope_name: string;
  threshold: string;
}
