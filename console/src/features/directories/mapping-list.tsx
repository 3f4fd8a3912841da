import { Link } from "@tanstack/react-router";
import { Plus, X } from "lucide-react";
import { Button, IconButton } from "../../ui/button.tsx";
import { Input, Select } from "../../ui/input.tsx";

export interface Mapping {
  value: string;
  target: string;
}

interface MappingListProps {
  legend: string;
  hint: string;
  /** Noun for the target, such as "role". */
  noun: string;
  mappings: readonly Mapping[];
  targets: readonly { value: string; label: string }[];
  error?: string | undefined;
  onChange: (mappings: Mapping[]) => void;
}

/** Values of a claim, each with the role or group that it gives. */
export function MappingList(props: MappingListProps) {
  const { legend, hint, noun, mappings, targets, error, onChange } = props;
  const replace = (index: number, change: Partial<Mapping>) =>
    onChange(mappings.map((each, i) => (i === index ? { ...each, ...change } : each)));
  const [first] = targets;
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-1.5 text-sm font-medium">{legend}</legend>
      <p className="text-sm text-quiet">{hint}</p>
      {mappings.length > 0 && (
        <ul className="grid gap-2">
          {mappings.map((mapping, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no id, and a value can be empty.
            <li key={index} className="grid grid-cols-[1fr_1fr_auto] items-center gap-2">
              <Input
                aria-label={`Claim value ${index + 1}`}
                spellCheck={false}
                placeholder="value"
                value={mapping.value}
                onChange={(event) => replace(index, { value: event.target.value })}
              />
              <Select
                aria-label={`${noun} of claim value ${index + 1}`}
                value={mapping.target}
                onChange={(event) => replace(index, { target: event.target.value })}
              >
                {targets.map(({ value, label }) => (
                  <option key={value} value={value}>
                    {label}
                  </option>
                ))}
              </Select>
              <IconButton
                label={`Remove claim value ${index + 1}`}
                onClick={() => onChange(mappings.filter((_, i) => i !== index))}
              >
                <X size={16} />
              </IconButton>
            </li>
          ))}
        </ul>
      )}
      {error !== undefined && <p className="text-sm text-bad">{error}</p>}
      {first ? (
        <Button
          className="w-fit"
          onClick={() => onChange([...mappings, { value: "", target: first.value }])}
        >
          <Plus size={16} /> Add {noun}
        </Button>
      ) : (
        <p className="text-sm text-quiet">
          <Link to="/groups" className="link">
            Create a group
          </Link>{" "}
          first.
        </p>
      )}
    </fieldset>
  );
}
