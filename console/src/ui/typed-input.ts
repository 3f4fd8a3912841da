import { type RefObject, type SyntheticEvent, useMemo } from "react";

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

interface TypedInput {
  /** Event handlers for the element around the fields. */
  handlers: {
    onFocusCapture: (event: SyntheticEvent) => void;
    onPointerDownCapture: (event: SyntheticEvent) => void;
    onKeyDownCapture: (event: SyntheticEvent) => void;
    onInputCapture: (event: SyntheticEvent) => void;
  };
  /** True if a visited field has another value than before. */
  hasTyped: () => boolean;
  /** Forgets all visited fields. */
  forget: () => void;
}

/**
 * Detects input in the fields of `area`, with or without a form library. A list with buttons counts if a hidden field
 * has its value. Removed fields, such as those of an earlier step, count with their last value.
 */
export function useTypedInput(area: RefObject<HTMLElement | null>): TypedInput {
  return useMemo(() => {
    /** Values before the input. Null: unknown. */
    const before = new Map<Control, string | null>();
    const visited = new Set<Control>();
    // Stores all values before a change. A focus event is not enough: some browsers send none on a press, and a field can
    // have the focus already. All fields are stored, because one radio button changes another.
    const look = ({ target }: SyntheticEvent) => {
      for (const control of controlsIn(area.current)) {
        if (!before.has(control)) before.set(control, textOf(control));
      }
      if (before.has(target as Control)) visited.add(target as Control);
    };
    return {
      handlers: {
        onFocusCapture: look,
        onPointerDownCapture: look,
        onKeyDownCapture: look,
        onInputCapture: ({ target }) => {
          const control = controlsIn(area.current).find((each) => each === target);
          if (!control) return;
          // The browser can fill in a field without focus.
          if (!before.has(control)) before.set(control, null);
          visited.add(control);
        },
      },
      hasTyped: () =>
        [...before].some(
          ([control, text]) =>
            (visited.has(control) || control.type === "hidden") && textOf(control) !== text,
        ),
      forget: () => {
        before.clear();
        visited.clear();
      },
    };
  }, [area]);
}

function controlsIn(area: HTMLElement | null): Control[] {
  return [...(area?.querySelectorAll<Control>("input, textarea, select") ?? [])];
}

function textOf(control: Control): string {
  const isPressed = control.type === "checkbox" || control.type === "radio";
  return isPressed ? String((control as HTMLInputElement).checked) : control.value;
}
