import type { checkLedger } from "@bursar/contract/admin/ledger-check.ts";
import type { z } from "zod";
import { formatPlural } from "#src/lib/format-plural.ts";

export type LedgerReport = z.output<(typeof checkLedger)["response"]>;

/** Result of a ledger check as text. */
export function describeLedger(report: LedgerReport): string {
  const read = `${formatPlural(report.balances, "balance")}, ${formatPlural(report.requests, "request")}`;
  if (report.is_correct) return `Every balance equals the sum of its requests: ${read}.`;
  const lines = report.differences.map(
    ({ scope, period, period_start, node_id, amount, is_usd, should_be_usd, explanation }) =>
      `${scope.type} ${scope.id}, ${period} from ${period_start}${node_id === null ? "" : `, node ${node_id}`}: ` +
      `${amount} is $${is_usd} and should be $${should_be_usd} (${explanation})`,
  );
  const more = report.difference_count - report.differences.length;
  if (more > 0) lines.push(`and ${more.toLocaleString("en")} more`);
  return `THE LEDGER IS NOT CORRECT (${read}).\n${lines.join("\n")}`;
}
