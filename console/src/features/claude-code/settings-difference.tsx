import { Badge } from "../../ui/badge.tsx";
import type { SettingsCheck } from "./settings-queries.ts";

type Change = SettingsCheck["changes"][number];

const tones = { added: "good", removed: "bad", changed: "accent" } as const;

/** Changes of each policy, key by key. */
export function SettingsDifference({
  check: { changes, is_reordered },
  groupNames,
}: {
  check: Pick<SettingsCheck, "changes" | "is_reordered">;
  groupNames: ReadonlyMap<string, string>;
}) {
  if (changes.length === 0 && !is_reordered) return <p className="text-quiet">No changes.</p>;
  return (
    <div className="grid gap-4">
      {is_reordered && <p className="text-sm">The order of policies changes.</p>}
      {changes.map((change) => (
        <section key={change.policy} className="grid gap-2">
          <h3 className="flex flex-wrap items-center gap-2 text-sm font-semibold">
            {change.policy} <Badge tone={tones[change.change]}>{change.change}</Badge>
          </h3>
          <dl className="grid gap-2 text-sm">
            {change.keys.map((key) => (
              <KeyChange key={key.path} change={key} groupNames={groupNames} />
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}

function KeyChange({
  change: { path, before, after },
  groupNames,
}: {
  change: Change["keys"][number];
  groupNames: ReadonlyMap<string, string>;
}) {
  const name = path === "group_ids" ? "Groups" : path.replace(/^settings\./, "");
  const format = (value: unknown) =>
    path === "group_ids" ? formatGroups(value, groupNames) : JSON.stringify(value, null, 2);
  return (
    <div className="grid gap-1">
      <dt className="font-mono break-all text-quiet">{name}</dt>
      {before !== null && <Side sign="−" word="Before" text={format(before)} isOld />}
      {after !== null && <Side sign="+" word="After" text={format(after)} />}
    </div>
  );
}

function Side(props: { sign: string; word: string; text: string; isOld?: boolean }) {
  const { sign, word, text, isOld = false } = props;
  const look = isOld ? "bg-bad-wash text-bad" : "bg-good-wash text-good";
  return (
    <dd className={`grid grid-cols-[1.25rem_1fr] rounded-sm px-2 py-1 font-mono ${look}`}>
      <span aria-hidden="true">{sign}</span>
      <span className="sr-only">{word}:</span>
      <pre className="overflow-x-auto whitespace-pre-wrap break-words">{text}</pre>
    </dd>
  );
}

function formatGroups(value: unknown, names: ReadonlyMap<string, string>): string {
  if (!Array.isArray(value) || value.length === 0) return "Everyone";
  return value.map((id) => names.get(String(id)) ?? `${String(id)} (deleted)`).join(", ");
}
