import type { PersonalKeyMode } from "@bursar/contract/admin/workspaces.ts";
import { describeKeysPerMember } from "../../kit/api-keys/keys-per-member.ts";
import { isLower } from "../../kit/consequences/is-lower.ts";
import { formatPlural } from "../../ui/format.ts";

const DAY_MS = 86_400_000;

/** Rules for keys that members create for themselves. */
export interface PersonalKeyRuleValues {
  mode: PersonalKeyMode;
  /** Null: no own maximum. */
  lifetimeDays: number | null;
  keysPerMember: number | null;
  /** Null: all models. */
  models: readonly string[] | null;
}

/** A living personal key of the workspace. */
interface PersonalKey {
  ownerId: string;
  /** Null: never. */
  expiresAt: string | null;
}

interface RuleChange {
  before: PersonalKeyRuleValues;
  after: PersonalKeyRuleValues;
  /** Undefined: unknown. */
  keys: readonly PersonalKey[] | undefined;
  /** Members who can create keys then. Undefined: unknown. */
  members: number | undefined;
  nowMs: number;
}

/** Effects of other rules. They apply to new keys, so existing ones are counted as staying. */
export function describeRuleChange({ before, after, keys, members, nowMs }: RuleChange): string[] {
  return [
    ...(before.mode === after.mode ? [] : describeMode(after.mode, keys?.length, members)),
    ...(after.mode === "off" || keys === undefined
      ? []
      : [
          ...describeLifetime(before, after, keys, nowMs),
          ...describeKeysPerMember(
            keys.map(({ ownerId }) => ownerId),
            { before: before.keysPerMember, after: after.keysPerMember },
          ),
          ...describeModels(before, after, keys.length),
        ]),
  ];
}

/** True if the effects depend on existing keys. */
export function isAboutKeys(before: PersonalKeyRuleValues, after: PersonalKeyRuleValues): boolean {
  if (after.mode === "off") return before.mode !== "off";
  return (
    isLower(before.lifetimeDays, after.lifetimeDays) ||
    isLower(before.keysPerMember, after.keysPerMember) ||
    areModelsChanged(before, after)
  );
}

function areModelsChanged(before: PersonalKeyRuleValues, after: PersonalKeyRuleValues): boolean {
  return before.models?.join("\n") !== after.models?.join("\n");
}

function describeMode(
  mode: PersonalKeyMode,
  keys: number | undefined,
  members: number | undefined,
): string[] {
  if (mode === "off") {
    return [
      "Members without a role that creates keys can create no further ones.",
      ...(keys
        ? [formatPlural(keys, "personal key keeps working.", "personal keys keep working.")]
        : []),
    ];
  }
  if (members === undefined) return [];
  const who = mode === "everyone" ? "member of the company" : "member of the workspace";
  const whom = mode === "everyone" ? "members of the company" : "members of the workspace";
  return [`${formatPlural(members, who, whom)} can create keys here.`];
}

function describeLifetime(
  before: PersonalKeyRuleValues,
  after: PersonalKeyRuleValues,
  keys: readonly PersonalKey[],
  nowMs: number,
): string[] {
  const { lifetimeDays: days } = after;
  if (!isLower(before.lifetimeDays, days)) return [];
  const longer = keys.filter(
    ({ expiresAt }) => expiresAt === null || Date.parse(expiresAt) > nowMs + days * DAY_MS,
  ).length;
  if (longer === 0) return ["No personal key lasts longer."];
  return [
    `${formatPlural(longer, "personal key lasts", "personal keys last")} longer. Existing keys keep their expiry until they are rotated.`,
  ];
}

function describeModels(
  before: PersonalKeyRuleValues,
  after: PersonalKeyRuleValues,
  keys: number,
): string[] {
  if (!areModelsChanged(before, after)) return [];
  return [formatPlural(keys, "personal key keeps its models.", "personal keys keep their models.")];
}
