import { type Rank, rankNames } from "@bursar/contract/permissions.ts";
import type { ApiKey } from "../../kit/api-keys/queries.ts";

type Restrictions = ApiKey["restrictions"][number];

export function findRestrictions(apiKey: ApiKey, rank: Rank): Restrictions | undefined {
  return apiKey.restrictions.find((each) => each.rank === rank);
}

/** Ranks that disabled the key, highest first. */
export function listDisablingRanks(apiKey: ApiKey): Rank[] {
  return apiKey.restrictions.filter(({ is_disabled }) => is_disabled).map(({ rank }) => rank);
}

export function setterOf(rank: Rank): string {
  return rankNames[rank];
}

/** Ranks whose value is part of the one in force, highest first. Only the earliest expiry applies. */
export function listSettingRanks(
  apiKey: Pick<ApiKey, "restrictions" | "expires_at">,
  field: "allowed_models" | "allowed_addresses" | "expires_at",
): Rank[] {
  return apiKey.restrictions
    .filter((each) =>
      field === "expires_at"
        ? each.expires_at !== null && each.expires_at === apiKey.expires_at
        : each[field] !== null,
    )
    .map(({ rank }) => rank);
}

/** A few words for each restriction. */
export function describeRestrictions(
  of: Restrictions,
  formatDay: (time: string) => string,
): string[] {
  return [
    of.is_disabled ? "disabled" : null,
    of.allowed_models && `models ${of.allowed_models.join(", ")}`,
    of.allowed_addresses && `addresses ${of.allowed_addresses.join(", ")}`,
    of.expires_at && `expires ${formatDay(of.expires_at)}`,
  ].filter((words) => words !== null);
}
