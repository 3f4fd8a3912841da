import { formatCount, formatPlural, formatRelative } from "../../ui/format.ts";
import { describeRecentRequests } from "../consequences/sentences.ts";
import type { ApiKey } from "./queries.ts";

const DAY_MS = 86_400_000;

export type UsedKey = Pick<ApiKey, "last_used" | "secrets">;

interface StoppedKeys {
  apiKeys: readonly UsedKey[];
  /** Requests of the last hour. Undefined: unknown. */
  requests: number | undefined;
  /** Laptops whose requests the keys carry. Undefined: unknown. */
  laptops: number | undefined;
  nowMs: number;
}

/** Effects of a change that stops keys. */
export function describeStoppedKeys(stopped: StoppedKeys): string[] {
  const { apiKeys, requests, laptops = 0, nowMs } = stopped;
  const [first] = apiKeys;
  const isOutdated = (requests ?? 0) > 0 && apiKeys.every(({ last_used }) => !last_used);
  const use =
    apiKeys.length === 1 && first
      ? describeLastUse(first, nowMs)
      : describeUseOfDay(apiKeys, nowMs);
  return [
    // Keys can have requests since they were listed.
    ...(isOutdated ? [] : [use]),
    ...(requests === undefined ? [] : [describeRecentRequests(requests)]),
    ...(laptops === 0
      ? []
      : [
          formatPlural(
            laptops,
            "laptop of Claude Code stops working.",
            "laptops of Claude Code stop working.",
          ),
        ]),
  ];
}

export function describeLastUse(key: UsedKey, nowMs: number): string {
  if (!key.last_used) return "This key has never been used.";
  const used = key.secrets.flatMap(({ last_used }) => last_used?.address ?? []);
  const addresses = new Set([...used, ...(key.last_used.address ? [key.last_used.address] : [])]);
  const from = addresses.size > 0 ? ` from ${[...addresses].join(" and ")}` : "";
  return `This key was last used ${formatRelative(key.last_used.at, nowMs)}${from}.`;
}

function describeUseOfDay(apiKeys: readonly UsedKey[], nowMs: number): string {
  const used = apiKeys.filter(
    ({ last_used }) => last_used && nowMs - Date.parse(last_used.at) <= DAY_MS,
  );
  if (used.length === 0) return "None of them was used in the last 24 hours.";
  const all = formatPlural(apiKeys.length, "key");
  return `${formatCount(used.length)} of ${all} ${used.length === 1 ? "was" : "were"} used in the last 24 hours.`;
}
