import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { useMay } from "../../session.ts";
import { Money } from "../../ui/amounts.tsx";
import { Badge } from "../../ui/badge.tsx";
import { formatUtcDay } from "../../ui/format.ts";
import { NameLink } from "../../ui/name-link.tsx";
import { Page, Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { CostCenterForm } from "./cost-center-form.tsx";
import { type ListedStatement, useContractTerms, useStatements } from "./queries.ts";
import { ScopeSelect, useVisibleScope } from "./scope-select.tsx";
import type { StatementSearch } from "./search.ts";
import { TermsSection } from "./terms.tsx";
import { nameMonth, stateWords } from "./words.ts";

/** Monthly statements, the terms of the contract, and the tag of cost centres. */
export function StatementsPage() {
  const search: StatementSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const scope = useVisibleScope(search);
  const statements = useStatements(scope);
  // Parts below come after those above, which would move them.
  const terms = useContractTerms();
  const may = useMay();
  const mayChange = may("contract_terms:write");
  const maySeeTerms = !statements.isPending && may("contract_terms:read");
  const columns = useMemo(() => makeColumns(scope ?? {}), [scope]);
  if (statements.error) {
    return <LoadError error={statements.error} onRetry={() => void statements.refetch()} />;
  }
  return (
    <Page
      title="Statements"
      guide="statements"
      lead="Cost of each month in UTC. A closed month never changes. Later charges and credits are in the next one."
      actions={
        <ScopeSelect
          search={scope ?? {}}
          onSearch={(next) => void navigate({ to: "/statements", search: next })}
        />
      }
    >
      <div className="grid gap-12">
        {statements.isPending ? (
          <SkeletonRows />
        ) : (
          <Table
            label="Statements"
            columns={columns}
            rows={statements.data.items}
            rowKey={({ month }) => month}
          />
        )}
        {maySeeTerms && <TermsSection mayChange={mayChange} />}
        {maySeeTerms && !terms.isPending && (
          <Section
            title="Cost centres"
            lead="A tag of workspaces and keys whose values are your cost centres. Requests without it are not allocated."
          >
            <CostCenterForm mayChange={mayChange} />
          </Section>
        )}
      </div>
    </Page>
  );
}

function makeColumns(scope: StatementSearch): Column<ListedStatement>[] {
  return [
    {
      id: "month",
      header: "Month",
      sortBy: ({ month }) => month,
      cell: ({ month }) => (
        <NameLink to="/statements/$month" params={{ month }} search={scope}>
          {nameMonth(month)}
        </NameLink>
      ),
    },
    {
      id: "state",
      header: "State",
      cell: ({ state, closes_after }) => (
        <span className="flex flex-wrap items-center gap-x-2">
          <Badge tone={stateWords[state].tone}>{stateWords[state].label}</Badge>
          {state === "ended" && Date.parse(closes_after) > Date.now() && (
            <span className="text-quiet">after {formatUtcDay(closes_after)}</span>
          )}
        </span>
      ),
    },
    {
      id: "list",
      header: "List cost",
      from: "sm",
      isNumeric: true,
      cell: ({ list_cost_usd }) => <Money usd={list_cost_usd} />,
    },
    {
      id: "adjustments",
      header: "Adjustments",
      from: "lg",
      isNumeric: true,
      cell: ({ adjustments_usd }) => <Money usd={adjustments_usd} />,
    },
    {
      id: "earlier",
      header: "Earlier months",
      from: "lg",
      isNumeric: true,
      cell: ({ earlier_usd }) => <Money usd={earlier_usd} />,
    },
    {
      id: "discount",
      header: "Discount",
      from: "sm",
      isNumeric: true,
      cell: ({ discount_usd }) => <Money usd={discount_usd} />,
    },
    {
      id: "net",
      header: "Net cost",
      isNumeric: true,
      cell: ({ net_cost_usd }) => <Money usd={net_cost_usd} className="font-medium" />,
    },
  ];
}
