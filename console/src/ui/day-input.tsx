import { useEffect, useId, useState } from "react";
import { classNames } from "./class-names.ts";
import { describeDayFormats } from "./form.ts";
import { exampleDay, formatIsoDay, parseDay } from "./format.ts";
import { Input } from "./input.tsx";

interface DayInputProps {
  label: string;
  /** Day such as `2026-11-27`. Empty: none. */
  value: string;
  /** First and last possible day. */
  min?: string | undefined;
  max?: string | undefined;
  onDay: (day: string) => void;
  className?: string;
}

/** Filter by a day. Reads the formats of `parseDay` when the field is left, and shows the day in the person's format. */
export function DayInput({ label, value, min, max, onDay, className }: DayInputProps) {
  const shown = value === "" ? "" : formatIsoDay(value);
  const [text, setText] = useState(shown);
  const [error, setError] = useState<string | null>(null);
  const errorId = useId();
  useEffect(() => {
    setText(shown);
    setError(null);
  }, [shown]);
  const read = () => {
    const day = text.trim() === "" ? "" : parseDay(text);
    const problem = day === null ? describeDayFormats() : findProblem(day, min, max);
    setError(problem);
    if (day === null || problem !== null) return;
    setText(day === "" ? "" : formatIsoDay(day));
    if (day !== value) onDay(day);
  };
  return (
    <span className={classNames("relative block", className)}>
      <Input
        aria-label={label}
        aria-invalid={error === null ? undefined : true}
        aria-describedby={error === null ? undefined : errorId}
        placeholder={label.replace(", UTC", "")}
        title={`Such as ${exampleDay()}`}
        value={text}
        maxLength={30}
        onChange={(event) => setText(event.target.value)}
        onBlur={read}
        onKeyDown={(event) => {
          if (event.key === "Enter") read();
        }}
      />
      {error !== null && (
        <span
          id={errorId}
          role="alert"
          className="absolute top-full left-0 z-20 mt-1 w-max max-w-64 rounded-md border border-line bg-raised px-2.5 py-1.5 text-sm font-medium text-bad shadow-popup"
        >
          {error}
        </span>
      )}
    </span>
  );
}

function findProblem(day: string, min: string | undefined, max: string | undefined): string | null {
  if (day === "") return null;
  if (min && day < min) return `Choose ${formatIsoDay(min)} or a later day.`;
  if (max && day > max) return `Choose ${formatIsoDay(max)} or an earlier day.`;
  return null;
}
