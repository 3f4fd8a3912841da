import { formatUsd, nanoToUsdText, toNanoUsd } from "../../ui/format.ts";
import type { IncreaseRequest } from "./queries.ts";

// Effects of a decision about an increase request, as sentences.

type Limit = Pick<IncreaseRequest, "limit_usd" | "spent_usd" | "held_usd" | "period">;

const periodNouns: Record<Limit["period"], string> = {
  daily: "day",
  weekly: "week",
  monthly: "month",
};

/** Effects of an approval of this amount. An amount that is no raise has none. */
export function describeApproval(limit: Limit, amountUsd: string): string[] {
  const amount = toNanoUsd(amountUsd);
  const current = limit.limit_usd === null ? null : toNanoUsd(limit.limit_usd);
  if (current === null || amount <= current) return [];
  const period = periodNouns[limit.period];
  return [
    ...describeRoom(limit, amount, current),
    `Each later ${period} also allows ${formatUsd(nanoToUsdText(amount - current))} more, until someone lowers the limit.`,
    "Other limits of the same requests still apply.",
  ];
}

/** Spend that is then possible in the current period. */
function describeRoom(
  { spent_usd, held_usd, period }: Limit,
  amount: bigint,
  current: bigint,
): string[] {
  if (spent_usd === null) return [];
  const used = toNanoUsd(spent_usd) + toNanoUsd(held_usd ?? "0");
  const noun = periodNouns[period];
  if (used >= amount) {
    return [`The new limit is reached already: ${formatUsd(spent_usd)} is spent this ${noun}.`];
  }
  const room = formatUsd(nanoToUsdText(amount - used));
  const resumed =
    used >= current ? ["Requests that the limit blocks now continue within a second."] : [];
  return [`${room} more can be spent this ${noun}. ${formatUsd(spent_usd)} is spent.`, ...resumed];
}

/** Effects of a denial. */
export function describeDenial({ limit_usd, spent_usd, period }: Limit): string[] {
  if (limit_usd === null || spent_usd === null) return [];
  const left = toNanoUsd(limit_usd) - toNanoUsd(spent_usd);
  const noun = periodNouns[period];
  return [
    left > 0n
      ? `${formatUsd(nanoToUsdText(left))} of the limit is left this ${noun}.`
      : `The limit is reached and stays so until the ${noun} ends.`,
    "The request stays denied. Its requester can send another one.",
  ];
}
