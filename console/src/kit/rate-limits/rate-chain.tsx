import { useMemo } from "react";
import { type Column, Table } from "../../ui/table.tsx";
import type { RateLimit } from "./queries.ts";
import { LimitName, rateColumns } from "./rate-limit-rows.tsx";

interface RateChainProps {
  limits: readonly RateLimit[];
  describeScope: (limit: RateLimit) => string;
}

/** Rate limits that apply to the same requests, narrowest first. */
export function RateChain({ limits, describeScope }: RateChainProps) {
  const columns = useMemo<Column<RateLimit>[]>(
    () => [
      {
        id: "scope",
        header: "Limit of",
        cell: (limit) => <LimitName limit={limit}>{describeScope(limit)}</LimitName>,
      },
      ...rateColumns((limit: RateLimit) => limit),
    ],
    [describeScope],
  );
  return <Table label="Rate limits" columns={columns} rows={limits} rowKey={({ id }) => id} />;
}
