import type { ReactNode } from "react";
import { classNames } from "./class-names.ts";
import type { FieldControl } from "./field.tsx";

// Look and properties of a combobox and a filter, before and after their list is loaded.

export interface Option {
  value: string;
  label: string;
  /** A colour or an icon before the label. */
  mark?: ReactNode;
  note?: string;
}

export interface ComboboxProps {
  control: FieldControl;
  options: readonly Option[];
  value: string | null;
  onChange: (value: string | null) => void;
  placeholder?: string;
}

export interface FilterProps {
  label: string;
  options: readonly Option[];
  values: readonly string[];
  onChange: (values: string[]) => void;
  /** Called when someone comes to the filter, so that its options can be loaded. */
  onNear?: (() => void) | undefined;
  /** The options are not complete yet. */
  isLoading?: boolean | undefined;
}

export const inputLook =
  "min-h-9 w-full rounded-md border border-edge bg-raised py-1.5 pr-9 pl-3 text-[0.9375rem] hover:border-quiet " +
  "aria-invalid:border-bad pointer-coarse:min-h-11";

export function filterLook(isChosen: boolean): string {
  return classNames(
    "inline-flex min-h-9 items-center gap-1.5 rounded-md border px-3 text-sm transition-colors pointer-coarse:min-h-11",
    isChosen
      ? "border-accent/50 bg-accent-wash text-accent"
      : "border-edge/55 bg-raised hover:border-edge",
  );
}

export function describeFilter(selected: readonly Option[], count: number): string {
  const [only] = selected;
  if (count === 0) return "All";
  return count === 1 && only ? only.label : `${count} chosen`;
}
