import { Button } from "../../ui/button.tsx";

interface FrequentKey {
  name: string;
  effect: string;
  sample: unknown;
}

/** Keys that companies often set, with a first value. */
const keys: readonly FrequentKey[] = [
  {
    name: "permissions",
    effect: "Rules for tools. Denied tools stay denied in every policy.",
    sample: { deny: ["Read(./.env)", "Read(./secrets/**)"] },
  },
  {
    name: "availableModels",
    effect: "Models that clients offer. The groups decide which ones the server accepts.",
    sample: ["sonnet", "haiku"],
  },
  {
    name: "env",
    effect: "Environment variables. Interactive clients ask their user once.",
    sample: { CLAUDE_CODE_GATEWAY_HINT_HEADERS: "1" },
  },
  {
    name: "hooks",
    effect: "Commands at events, on every machine. Interactive clients ask their user once.",
    sample: { PreToolUse: [{ matcher: "Bash", hooks: [{ type: "command", command: "" }] }] },
  },
  { name: "sandbox", effect: "Isolation of commands.", sample: { enabled: true } },
  { name: "cleanupPeriodDays", effect: "Age at which clients delete transcripts.", sample: 30 },
  {
    name: "modelOverrides",
    effect: "Other model for an alias.",
    sample: { opus: "claude-opus-5-5" },
  },
  {
    name: "attributionProject",
    effect: "Value of the billing group tag.",
    sample: "apollo",
  },
];

/** Frequent keys with their effect. A button adds a key to the text. */
export function FrequentKeys({
  onAdd,
}: {
  onAdd: ((name: string, sample: unknown) => void) | null;
}) {
  return (
    <details className="rounded-md border border-line">
      <summary className="cursor-pointer px-3 py-2 text-sm font-medium">Frequent keys</summary>
      <ul className="divide-y divide-line border-t border-line text-sm">
        {keys.map(({ name, effect, sample }) => (
          <li key={name} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-3 py-2">
            <span className="min-w-0 flex-1 basis-56">
              <code className="font-medium break-all">{name}</code>
              <span className="block text-quiet">{effect}</span>
            </span>
            <Button
              kind="quiet"
              disabled={onAdd === null}
              onClick={() => onAdd?.(name, sample)}
              aria-label={`Add ${name}`}
            >
              Add key
            </Button>
          </li>
        ))}
      </ul>
    </details>
  );
}
