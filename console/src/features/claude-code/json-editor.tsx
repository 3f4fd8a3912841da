import { useRef } from "react";
import { Field } from "../../ui/field.tsx";
import { TextArea } from "../../ui/input.tsx";
import { countLines } from "./settings-draft.ts";

const MIN_LINES = 6;
const MAX_LINES = 24;

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** Lines with a fault. */
  faultLines: readonly number[];
  error: string | undefined;
}

/** JSON with line numbers. Tab leaves the field, as in other fields. */
export function JsonEditor({ label, value, onChange, faultLines, error }: Props) {
  const numbers = useRef<HTMLPreElement>(null);
  const lines = countLines(value);
  return (
    <Field label={label} error={error}>
      {(control) => (
        <div className="relative">
          <pre
            ref={numbers}
            aria-hidden="true"
            className="pointer-events-none absolute inset-y-px left-px w-11 overflow-hidden rounded-l-md border-r border-line bg-sunk py-1.5 pr-2 text-right font-mono text-sm leading-6 text-quiet"
          >
            {Array.from({ length: lines }, (_, index) => (
              <span
                // biome-ignore lint/suspicious/noArrayIndexKey: a line has no other id.
                key={index}
                className={faultLines.includes(index + 1) ? "block font-bold text-bad" : "block"}
              >
                {index + 1}
              </span>
            ))}
          </pre>
          <TextArea
            {...control}
            value={value}
            rows={Math.min(MAX_LINES, Math.max(MIN_LINES, lines))}
            wrap="off"
            spellCheck={false}
            autoCapitalize="none"
            onChange={(event) => onChange(event.target.value)}
            onScroll={(event) => {
              if (numbers.current) numbers.current.scrollTop = event.currentTarget.scrollTop;
            }}
            className="overflow-auto pl-13 font-mono text-sm leading-6 pointer-coarse:text-sm"
          />
        </div>
      )}
    </Field>
  );
}
