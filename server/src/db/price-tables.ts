import type { PriceColumn } from "@bursar/contract/usage-shape.ts";
import type { ColumnType, Generated } from "kysely";

type Created = ColumnType<Date, Date | undefined, never>;

export interface PriceTables {
  price_override: PriceOverrideTable;
  neutral_feature: NeutralFeatureTable;
}

interface PriceOverrideTable extends Record<PriceColumn, bigint> {
  id: string;
  organization_id: string;
  model: string;
  effective_from: Date;
  created_at: Created;
}

interface NeutralFeatureTable {
  id: string;
  organization_id: string;
  kind: "field" | "tool" | "block" | "edit";
  name: string;
  effect: string;
  source: string;
  is_in_prompt: boolean;
  created_at: Created;
  updated_at: Generated<Date>;
}
