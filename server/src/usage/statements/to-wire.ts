import type {
  contractTerm,
  statement,
  statementLine,
  statementRow,
  statementSummary,
} from "@bursar/contract/admin/statements.ts";
import { billedMeasures, toRecord } from "@bursar/contract/usage-shape.ts";
import type { z } from "zod";
import { formatUsd } from "#src/domain/money.ts";
import type { ListedTerm } from "./contract-terms.ts";
import { formatPpm } from "./discount.rule.ts";
import type { ChangeParts } from "./explain-change.rule.ts";
import type { LinePage } from "./export-statement.ts";
import type { GroupRow } from "./statement-report.sql.ts";
import type { StatementAmounts, StatementTotals } from "./statement-shape.rule.ts";
import { netOf, readProduct } from "./statement-sums.rule.ts";
import type { ListedRows, ListedStatement, Statement, StatementPlace } from "./statements.ts";

export function toListed({ totals, ...place }: ListedStatement): z.input<typeof statementSummary> {
  return { ...toPlace(place), ...toAmounts(totals), simulated: toSimulated(totals) };
}

export function toStatement(of: Statement): z.input<typeof statement> {
  return {
    ...toPlace(of),
    scope: toScope(of.scope),
    ...toAmounts(of.totals),
    simulated: toSimulated(of.totals),
    is_intact: of.isIntact,
    earlier_months: of.earlier.map((each) => ({
      month: toMonth(each.month),
      list_cost_usd: formatUsd(each.listCostNanoUsd),
      adjustments_usd: formatUsd(each.adjustmentsNanoUsd),
      discount_usd: formatUsd(each.discountNanoUsd),
    })),
    change: toChange(of),
  };
}

function toChange({ totals, previous, change }: Statement): z.input<typeof statement>["change"] {
  const adjustmentsOf = (each: StatementTotals) =>
    each.adjustments_nano_usd + each.earlier_nano_usd;
  const discount = previous.totals.discount_nano_usd - totals.discount_nano_usd;
  return {
    previous_month: toMonth(previous.month),
    previous_list_cost_usd: formatUsd(previous.totals.list_cost_nano_usd),
    previous_net_cost_usd: formatUsd(netOf(previous.totals)),
    difference_usd: formatUsd(netOf(totals) - netOf(previous.totals)),
    ...toParts(change),
    adjustments_usd: formatUsd(adjustmentsOf(totals) - adjustmentsOf(previous.totals)),
    discount_usd: formatUsd(discount),
    products: change.products.map(({ key, beforeNanoUsd, afterNanoUsd, ...parts }) => ({
      ...readProduct(key),
      previous_list_cost_usd: formatUsd(beforeNanoUsd),
      list_cost_usd: formatUsd(afterNanoUsd),
      ...toParts(parts),
    })),
  };
}

function toParts({ volume, mix, cache, price }: ChangeParts) {
  return {
    volume_usd: formatUsd(volume),
    mix_usd: formatUsd(mix),
    cache_usd: formatUsd(cache),
    price_usd: formatUsd(price),
  };
}

function toPlace({ month, state, closedAt, sha256 }: StatementPlace) {
  return {
    type: "statement" as const,
    month: toMonth(month.month),
    state,
    starting_at: new Date(month.startMs).toISOString(),
    ending_at: new Date(month.endMs).toISOString(),
    closes_after: new Date(month.closesAfterMs).toISOString(),
    closed_at: closedAt?.toISOString() ?? null,
    sha256: sha256?.toString("hex") ?? null,
  };
}

function toScope({ query, name }: Statement["scope"]): z.input<typeof statement>["scope"] {
  const { workspace_id, group_id, tag, without_tag } = query;
  if (workspace_id !== undefined) return { type: "workspace", id: workspace_id, name };
  if (group_id !== undefined) return { type: "group", id: group_id, name };
  if (tag !== undefined) return { type: "tag", id: tag, name: tag };
  if (without_tag !== undefined) return { type: "without_tag", id: without_tag, name: without_tag };
  return { type: "organization", id: null, name: null };
}

function toAmounts(of: StatementAmounts) {
  return {
    list_cost_usd: formatUsd(of.list_cost_nano_usd),
    adjustments_usd: formatUsd(of.adjustments_nano_usd),
    earlier_usd: formatUsd(of.earlier_nano_usd),
    discount_usd: formatUsd(of.discount_nano_usd),
    net_cost_usd: formatUsd(netOf(of)),
    requests: Number(of.requests),
    unpriced_requests: Number(of.unpriced_requests),
    partly_unbilled_requests: Number(of.partly_unbilled_requests),
  };
}

function toSimulated(totals: StatementTotals) {
  return {
    requests: Number(totals.simulated_requests),
    cost_usd: formatUsd(totals.simulated_cost_nano_usd),
  };
}

export function toRow(
  { id, ...row }: GroupRow,
  { group, names }: ListedRows,
): z.input<typeof statementRow> {
  const member = group === "member" ? names.members.get(id) : undefined;
  return {
    id: id === "" ? null : id,
    name: member?.name ?? findRowName(id, group, names),
    detail: member?.email ?? null,
    ...toAmounts(row),
  };
}

function findRowName(
  id: string,
  group: ListedRows["group"],
  names: ListedRows["names"],
): string | null {
  switch (group) {
    case "workspace":
      return names.workspaces.get(id) ?? null;
    case "api_key":
      return names.apiKeys.get(id) ?? null;
    case "group":
      return names.groups.get(id) ?? null;
    case "cost_center":
      return names.tags.get(id)?.value ?? null;
    case "model":
      return id === "" ? null : id;
    case "member":
      return null;
  }
}

export function toWireLines({ month, lines, names }: LinePage): z.input<typeof statementLine>[] {
  return lines.map((line) => ({
    month: toMonth(month),
    kind: line.kind,
    for_month: toMonth(line.for_month),
    workspace_id: line.workspace_id,
    workspace_name: names.workspaces.get(line.workspace_id) ?? null,
    api_key_id: line.api_key_id,
    api_key_name: names.apiKeys.get(line.api_key_id) ?? null,
    member_id: line.member_id === "" ? null : line.member_id,
    member_email: names.members.get(line.member_id)?.email ?? null,
    groups: listIds(line.group_ids)
      .map((id) => names.groups.get(id) ?? id)
      .join("; "),
    tags: listIds(line.tag_ids)
      .flatMap((id) => names.tags.get(id) ?? [])
      .map(({ name, value }) => `${name}=${value}`)
      .join("; "),
    model: line.model,
    service_tier: line.service_tier,
    context_window: line.context_window,
    inference_geo: line.inference_geo,
    speed: line.speed,
    adjustment_id: line.adjustment_id === "" ? null : line.adjustment_id,
    requests: Number(line.requests),
    ...toRecord(billedMeasures, "column", ({ column }) => Number(line[column])),
    list_cost_usd: formatUsd(line.cost_nano_usd),
    discount_usd: formatUsd(line.discount_nano_usd),
    net_cost_usd: formatUsd(line.cost_nano_usd - line.discount_nano_usd),
  }));
}

function listIds(text: string): string[] {
  return text === "" ? [] : text.split(",");
}

function toMonth(firstDay: string): string {
  return firstDay.slice(0, 7);
}

export function toTerm(row: ListedTerm): z.input<typeof contractTerm> {
  return {
    type: "contract_term",
    id: row.id,
    from_month: toMonth(row.fromMonth),
    model_family: row.modelFamily === "" ? null : row.modelFamily,
    discount_percent: formatPpm(row.discountPpm),
    is_fixed: row.isFixed,
    created_at: row.createdAt.toISOString(),
  };
}
