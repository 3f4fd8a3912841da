import type { ComponentPropsWithRef, ReactNode } from "react";
import { classNames } from "./class-names.ts";

const shape =
  "w-full min-h-9 rounded-md border border-edge bg-raised px-3 py-1.5 text-[0.9375rem] text-ink transition-colors " +
  "hover:border-quiet focus-visible:outline-offset-0 aria-invalid:border-bad disabled:bg-sunk disabled:text-quiet " +
  "pointer-coarse:min-h-11 pointer-coarse:text-base";

export function Input({ className, ...rest }: ComponentPropsWithRef<"input">) {
  return <input autoComplete="off" {...rest} className={classNames(shape, className)} />;
}

export function TextArea({ className, ...rest }: ComponentPropsWithRef<"textarea">) {
  return <textarea rows={3} {...rest} className={classNames(shape, "block", className)} />;
}

/** The browser's own select, which works best on phones, by keyboard and with screen readers. */
export function Select({ className, children, ...rest }: ComponentPropsWithRef<"select">) {
  return (
    <span className={classNames("relative block", className)}>
      <select {...rest} className={classNames(shape, "appearance-none pr-9")}>
        {children}
      </select>
      <svg
        aria-hidden="true"
        viewBox="0 0 16 16"
        className="pointer-events-none absolute top-1/2 right-3 size-3.5 -translate-y-1/2 fill-none stroke-quiet stroke-2"
      >
        <path d="m4 6 4 4 4-4" />
      </svg>
    </span>
  );
}

/** Input for US dollars, with the sign before it and digits of one width. */
export function MoneyInput({ className, ...rest }: ComponentPropsWithRef<"input">) {
  return (
    <span className={classNames("relative block", className)}>
      <span
        aria-hidden="true"
        className="pointer-events-none absolute top-1/2 left-3 -translate-y-1/2 text-quiet"
      >
        $
      </span>
      <Input inputMode="decimal" {...rest} className="figures pl-7" />
    </span>
  );
}

interface CheckProps extends Omit<ComponentPropsWithRef<"input">, "type"> {
  label: ReactNode;
  hint?: ReactNode;
}

export function Checkbox({ label, hint, className, ...rest }: CheckProps) {
  return (
    <label className={classNames("flex items-start gap-2.5 text-sm", className)}>
      <input
        type="checkbox"
        {...rest}
        className="mt-0.5 size-4 shrink-0 rounded-sm accent-(--accent)"
      />
      <span>
        <span className="font-medium">{label}</span>
        {hint && <span className="block text-quiet">{hint}</span>}
      </span>
    </label>
  );
}

interface Choice<Value extends string> {
  value: Value;
  label: ReactNode;
  hint?: ReactNode;
  isDisabled?: boolean;
}

interface ChoicesProps<Value extends string> {
  legend: string;
  name: string;
  value: Value;
  choices: readonly Choice<Value>[];
  onChange: (value: Value) => void;
}

/** Selects one of a few options, each with a hint. */
export function Choices<Value extends string>(props: ChoicesProps<Value>) {
  const { legend, name, value, choices, onChange } = props;
  return (
    <fieldset className="grid gap-1.5">
      <legend className="mb-1.5 text-sm font-medium">{legend}</legend>
      <div className="divide-y divide-line overflow-hidden rounded-md border border-edge/60 bg-raised">
        {choices.map((choice) => (
          <label
            key={choice.value}
            className={classNames(
              "flex items-start gap-3 px-3 py-2.5 text-sm transition-colors has-checked:bg-accent-wash",
              choice.isDisabled ? "opacity-55" : "cursor-pointer hover:bg-sunk",
            )}
          >
            <input
              type="radio"
              name={name}
              value={choice.value}
              checked={choice.value === value}
              disabled={choice.isDisabled}
              onChange={() => onChange(choice.value)}
              className="mt-0.5 size-4 shrink-0 accent-(--accent)"
            />
            <span>
              <span className="font-medium">{choice.label}</span>
              {choice.hint && <span className="block text-quiet">{choice.hint}</span>}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
