// Settings of Claude Code that apply to a person: the first policy with one of the person's groups, laid over the base. The
// merge is the one that Claude Code's users know from Anthropic's gateway: `docs/decisions/0092-managed-settings.md`.

export interface Settings {
  readonly [key: string]: unknown;
}

export interface SettingsPolicy {
  name: string;
  /** Empty: the base, which applies to all members. */
  group_ids: readonly string[];
  settings: Settings;
}

export interface ChosenPolicies {
  base: SettingsPolicy | null;
  /** First policy with one of the groups. */
  matching: SettingsPolicy | null;
}

/** Chooses the policies of a person with these groups. Null: no policy applies. */
export function choosePolicies(
  policies: readonly SettingsPolicy[],
  groupIds: readonly string[],
): ChosenPolicies | null {
  const base = policies.find(isBase) ?? null;
  const matching =
    policies.find(({ group_ids }) => group_ids.some((id) => groupIds.includes(id))) ?? null;
  return base === null && matching === null ? null : { base, matching };
}

export function isBase({ group_ids }: SettingsPolicy): boolean {
  return group_ids.length === 0;
}

export function toEffectiveSettings({ base, matching }: ChosenPolicies): Settings {
  return mergeSettings(base?.settings ?? {}, matching?.settings ?? {});
}

/** Records whose names are merged one by one. */
const records = ["env", "modelOverrides", "skillOverrides"];
/** Lists that forbid. No policy takes an entry of the base away. */
const denyLists = [
  "deniedModels",
  "deniedMcpServers",
  "disabledMcpjsonServers",
  "blockedMarketplaces",
];
/** Lists in `permissions` that forbid or ask. */
const denyRules = ["deny", "ask"];

/** Lays settings over the base. Lists that forbid and hooks are united, records are merged, and other values replaced. */
export function mergeSettings(base: Settings, over: Settings): Settings {
  return mergeNames(base, over, mergeValue);
}

function mergeValue(key: string, base: unknown, over: unknown): unknown {
  if (denyLists.includes(key)) return unite(base, over);
  if (!isRecord(base) || !isRecord(over)) return over;
  if (records.includes(key)) return { ...base, ...over };
  if (key === "hooks") return mergeNames(base, over, (_, one, other) => unite(one, other));
  if (key !== "permissions") return over;
  return mergeNames(base, over, (name, one, other) =>
    denyRules.includes(name) ? unite(one, other) : other,
  );
}

function mergeNames(
  base: Settings,
  over: Settings,
  merge: (name: string, base: unknown, over: unknown) => unknown,
): Settings {
  const kept = Object.entries(base).map(([name, value]) =>
    Object.hasOwn(over, name) ? [name, merge(name, value, over[name])] : [name, value],
  );
  const added = Object.entries(over).filter(([name]) => !Object.hasOwn(base, name));
  return Object.fromEntries([...kept, ...added]);
}

/** Returns both lists without repeated entries. A value that is no list is replaced. */
function unite(base: unknown, over: unknown): unknown {
  if (!Array.isArray(base) || !Array.isArray(over)) return over;
  const entries = new Map([...base, ...over].map((entry) => [formatSorted(entry), entry]));
  return [...entries.values()];
}

export function isRecord(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Formats JSON with sorted names and no spaces: the text that clients compute the checksum of. */
export function formatSorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatSorted).join(",")}]`;
  if (!isRecord(value)) return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${formatSorted(value[name])}`).join(",")}}`;
}

export interface DecidedKey {
  /** Name of the key, with one further name in records that are merged: `env.EDITOR`. */
  path: string;
  /** Names of the policies whose value applies. Several: the value is united. */
  policies: string[];
}

/** Lists the keys of the effective settings with the policies that decided them, sorted by path. */
export function listDecidedKeys(chosen: ChosenPolicies): DecidedKey[] {
  const effective = toEffectiveSettings(chosen);
  const decided = Object.entries(effective).flatMap(([key, value]) => {
    const [base, over] = [chosen.base, chosen.matching].map(
      (policy) => policy && { policy, value: own(policy.settings, key) },
    );
    const isMerged = isRecord(value) && [...records, "hooks", "permissions"].includes(key);
    if (!isMerged) {
      return [{ path: key, policies: listDeciding([base, over], denyLists.includes(key)) }];
    }
    return Object.keys(value).map((name) => {
      const isUnited = key === "hooks" || (key === "permissions" && denyRules.includes(name));
      const values = [base, over].map(
        (each) =>
          each && {
            policy: each.policy,
            value: isRecord(each.value) ? own(each.value, name) : undefined,
          },
      );
      return { path: `${key}.${name}`, policies: listDeciding(values, isUnited) };
    });
  });
  return decided.sort((a, b) => (a.path < b.path ? -1 : 1));
}

interface PolicyValue {
  policy: SettingsPolicy;
  value: unknown;
}

function listDeciding(
  values: readonly (PolicyValue | null | undefined)[],
  isUnited: boolean,
): string[] {
  const given = values.flatMap((each) =>
    each && each.value !== undefined ? [each.policy.name] : [],
  );
  return isUnited ? given : given.slice(-1);
}

function own(record: Settings, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
