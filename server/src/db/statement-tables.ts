import type { AttributionColumn, CountColumn, EventLabel } from "@bursar/contract/usage-shape.ts";

// Monthly statements and contract terms (0071_statements.sql). Months are first days.

export interface StatementTables {
  statement: StatementTable;
  statement_line: StatementLineTable;
  statement_usage: {
    organization_id: string;
    month: string;
    for_month: string;
    requests: bigint;
    cost_nano_usd: bigint;
  };
  statement_name: {
    organization_id: string;
    month: string;
    kind: "workspace" | "api_key" | "member" | "group";
    id: string;
    name: string;
    detail: string;
  };
  contract_term: {
    id: string;
    organization_id: string;
    from_month: string;
    /** "": every model. */
    model_family: string;
    discount_ppm: bigint;
    created_at: Date;
  };
}

interface StatementTable {
  organization_id: string;
  month: string;
  closed_at: Date;
  line_count: number;
  list_cost_nano_usd: bigint;
  adjustments_nano_usd: bigint;
  earlier_nano_usd: bigint;
  discount_nano_usd: bigint;
  requests: bigint;
  unpriced_requests: bigint;
  partly_unbilled_requests: bigint;
  simulated_requests: bigint;
  simulated_cost_nano_usd: bigint;
  sha256: Uint8Array;
}

interface StatementLineTable
  extends Record<Exclude<EventLabel, "client"> | AttributionColumn, string>,
    Record<Exclude<CountColumn, "errors" | "estimated_requests">, bigint> {
  organization_id: string;
  month: string;
  place: number;
  kind: "usage" | "simulated" | "adjustment";
  for_month: string;
  /** "": usage. */
  adjustment_id: string;
  discount_nano_usd: bigint;
}
