import { costRow } from "@bursar/contract/admin/cost.ts";
import { usageRow } from "@bursar/contract/admin/usage.ts";
import { costParts } from "@bursar/contract/usage-shape.ts";
import type { z } from "zod";
import { type CsvColumns, pickColumns } from "#src/lib/csv.ts";

// The columns of a file are the fields of a row. Files have no row for the other groups.

type UsageLine = z.input<typeof usageRow>;

const {
  is_other: _usage,
  cost_breakdown_usd: _parts,
  group_id,
  group_name,
  tag_id,
  tag_name,
  tag_value,
  simulated_cost_usd,
  ...usageFields
} = usageRow.shape;
const { is_other: _cost, simulated_cost_usd: _simulated, ...costFields } = costRow.shape;

export const usageColumns: CsvColumns<UsageLine> = {
  ...pickColumns(usageFields),
  ...Object.fromEntries(
    costParts.map(({ part }) => [
      `${part}_cost_usd`,
      (row: UsageLine) => row.cost_breakdown_usd[part],
    ]),
  ),
  // Programs may read columns by their place, so newer columns are last.
  ...pickColumns({ group_id, group_name, tag_id, tag_name, tag_value, simulated_cost_usd }),
};

export const costColumns: CsvColumns<z.input<typeof costRow>> = pickColumns({
  ...costFields,
  simulated_cost_usd,
});
