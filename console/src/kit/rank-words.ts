import { type Rank, rankNames } from "@bursar/contract/permissions.ts";

/** Labels of ranks. Sentences use `rankNames` of the contract. */
export const rankLabels: Readonly<Record<Rank, string>> = {
  machine: "Operator",
  owner: "Owner",
  admin: "Admin",
  workspace: "Workspace Admin",
  holder: "Holder",
};

/** Callers who can undo a value of the rank: "an Admin or a higher rank". */
export function nameRankAndHigher(rank: Rank): string {
  return rank === "machine" ? rankNames[rank] : `${rankNames[rank]} or a higher rank`;
}

const list = new Intl.ListFormat("en-GB");

/** "Set by an Admin and the holder". Null without a rank. */
export function describeSettingRanks(ranks: readonly Rank[]): string | null {
  return ranks.length === 0 ? null : `Set by ${list.format(ranks.map((rank) => rankNames[rank]))}`;
}
