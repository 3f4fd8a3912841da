import { ArrowDown, ArrowUp, Trash2 } from "lucide-react";
import { Badge } from "../../ui/badge.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Checkbox, Input } from "../../ui/input.tsx";
import { FrequentKeys } from "./frequent-keys.tsx";
import { JsonEditor } from "./json-editor.tsx";
import { type PlacedNote, type PolicyDraft, parseSettings } from "./settings-draft.ts";

interface Group {
  id: string;
  name: string;
}

interface Props {
  draft: PolicyDraft;
  /** Place in the list, 0 is the first. */
  index: number;
  count: number;
  groups: readonly Group[];
  /** Faults of the last check of this policy. */
  notes: readonly PlacedNote[];
  isOpen: boolean;
  onToggle: () => void;
  onChange: (draft: PolicyDraft) => void;
  onMove: (to: number) => void;
  onRemove: () => void;
}

/** One policy of the ordered list. Open, it can be edited. */
export function PolicyCard(props: Props) {
  const { draft, index, count, groups, notes, isOpen, onToggle, onMove, onRemove } = props;
  const name = draft.name || "Unnamed policy";
  const hasFault = notes.length > 0 || "fault" in parseSettings(draft.text);
  return (
    <li className="rounded-lg border border-line bg-raised">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-3 py-2.5 sm:px-4">
        <span aria-hidden="true" className="figures w-5 text-quiet">
          {index + 1}
        </span>
        <span className="min-w-0 flex-1 basis-40">
          <span className="block font-medium break-words">{name}</span>
          <span className="mt-0.5 flex flex-wrap gap-1.5 text-sm text-quiet">
            {draft.groupIds.length === 0 ? (
              <Badge tone="accent">Everyone</Badge>
            ) : (
              draft.groupIds.map((id) => <Badge key={id}>{nameGroup(groups, id)}</Badge>)
            )}
            <span>{countKeys(draft.text)}</span>
            {hasFault && <Badge tone="bad">invalid</Badge>}
          </span>
        </span>
        <span className="flex items-center gap-1">
          <IconButton
            label={`Move ${name} up`}
            disabled={index === 0}
            onClick={() => onMove(index - 1)}
          >
            <ArrowUp size={16} />
          </IconButton>
          <IconButton
            label={`Move ${name} down`}
            disabled={index === count - 1}
            onClick={() => onMove(index + 1)}
          >
            <ArrowDown size={16} />
          </IconButton>
          <IconButton label={`Remove ${name}`} onClick={onRemove}>
            <Trash2 size={16} />
          </IconButton>
          <Button
            kind="quiet"
            aria-expanded={isOpen}
            onClick={onToggle}
            aria-label={isOpen ? `Close ${name}` : `Edit ${name}`}
          >
            {isOpen ? "Close" : "Edit"}
          </Button>
        </span>
      </div>
      {isOpen && <PolicyFields {...props} />}
    </li>
  );
}

function PolicyFields({ draft, groups, notes, onChange }: Props) {
  const parsed = parseSettings(draft.text);
  const ofSettings = notes.filter(({ field }) => field === "settings");
  const fault = "fault" in parsed ? parsed.fault : null;
  const lines = fault ? [fault.line] : ofSettings.map(({ line }) => line);
  const settings = "settings" in parsed ? parsed.settings : null;
  return (
    <div className="grid gap-5 border-t border-line px-3 py-4 sm:px-4">
      <Field label="Name" error={findMessage(notes, "name")}>
        {(control) => (
          <Input
            {...control}
            value={draft.name}
            maxLength={100}
            onChange={(event) => onChange({ ...draft, name: event.target.value })}
            className="max-w-sm"
          />
        )}
      </Field>
      <GroupChoices
        draft={draft}
        groups={groups}
        error={findMessage(notes, "group_ids")}
        onChange={onChange}
      />
      <JsonEditor
        label="Settings"
        value={draft.text}
        onChange={(text) => onChange({ ...draft, text })}
        faultLines={lines.filter((line) => line !== null)}
        error={fault ? describe(fault) : ofSettings.map(describe).join(" ") || undefined}
      />
      <FrequentKeys
        onAdd={
          settings &&
          ((name, sample) => {
            const text = JSON.stringify({ [name]: sample, ...settings }, null, 2);
            onChange({ ...draft, text });
          })
        }
      />
    </div>
  );
}

interface GroupChoicesProps extends Pick<Props, "draft" | "groups" | "onChange"> {
  error: string | undefined;
}

function GroupChoices({ draft, groups, error, onChange }: GroupChoicesProps) {
  const deleted = draft.groupIds
    .filter((id) => !groups.some((group) => group.id === id))
    .map((id) => ({ id, name: `${id} (deleted)` }));
  return (
    <fieldset className="grid gap-1.5">
      <legend className="mb-1.5 text-sm font-medium">Groups</legend>
      <div className="grid gap-x-6 gap-y-2 sm:grid-cols-2">
        {[...groups, ...deleted].map(({ id, name }) => (
          <Checkbox
            key={id}
            label={name}
            checked={draft.groupIds.includes(id)}
            onChange={(event) => {
              const others = draft.groupIds.filter((each) => each !== id);
              onChange({ ...draft, groupIds: event.target.checked ? [...others, id] : others });
            }}
          />
        ))}
      </div>
      <p className="text-sm text-quiet">
        {draft.groupIds.length === 0
          ? "No group: the base for everyone. Other policies are laid over it."
          : "Members of one of these groups get the policy, unless a policy above applies."}
      </p>
      {error && <p className="text-sm font-medium text-bad">{error}</p>}
    </fieldset>
  );
}

function findMessage(notes: readonly PlacedNote[], name: PlacedNote["field"]): string | undefined {
  return notes.find(({ field }) => field === name)?.message;
}

function describe({ line, message }: { line: number | null; message: string }): string {
  return line === null ? message : `Line ${line}: ${message}`;
}

function nameGroup(groups: readonly Group[], id: string): string {
  return groups.find((group) => group.id === id)?.name ?? "Deleted group";
}

function countKeys(text: string): string {
  const parsed = parseSettings(text);
  return "fault" in parsed ? "" : formatPlural(Object.keys(parsed.settings).length, "setting");
}
