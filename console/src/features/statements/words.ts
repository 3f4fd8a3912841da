import type { Tone } from "../../ui/badge.tsx";
import { formatMonth } from "../../ui/format.ts";
import type { ListedStatement, Statement, StatementGroup } from "./queries.ts";

export const stateWords: Record<ListedStatement["state"], { label: string; tone: Tone }> = {
  open: { label: "Preview", tone: "plain" },
  ended: { label: "Closes soon", tone: "accent" },
  closed: { label: "Closed", tone: "good" },
};

export const groupWords: readonly (readonly [StatementGroup, string])[] = [
  ["cost_center", "Cost centre"],
  ["workspace", "Workspace"],
  ["group", "Group"],
  ["member", "Member"],
  ["api_key", "API key"],
  ["model", "Model"],
];

/** Name of a row without a value. */
export const withoutWords: Record<StatementGroup, string> = {
  cost_center: "Not allocated",
  workspace: "No workspace",
  group: "No group",
  member: "No member",
  api_key: "No key",
  model: "Adjustments",
};

/** `October 2026` */
export function nameMonth(month: string): string {
  return formatMonth(`${month}-01T00:00:00Z`);
}

export function nameScope({ scope }: Pick<Statement, "scope">): string {
  const name = scope.name ?? scope.id ?? "";
  switch (scope.type) {
    case "organization":
      return "Whole company";
    case "workspace":
      return `Workspace ${name}`;
    case "group":
      return `Group ${name}`;
    case "tag":
      return `Tag ${name}`;
    case "without_tag":
      return `Without the tag ${name}`;
  }
}

/** Causes of the change, in the order in which the parts are computed. */
export const causes = [
  ["volume_usd", "Volume", "More or fewer tokens"],
  ["mix_usd", "Mix", "Other models, price classes, or shares of output"],
  ["cache_usd", "Cache", "Other shares of cache reads and writes"],
  ["price_usd", "Price", "Other prices of the same tokens"],
  ["adjustments_usd", "Adjustments", "Charges and credits, also for earlier months"],
  ["discount_usd", "Discount", "Terms of the contract"],
] as const;
