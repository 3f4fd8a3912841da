import { type RefObject, useMemo } from "react";

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

export interface TypedInput {
  /** For whatever holds the fields: to be called with each element that gets the focus inside. */
  noteFocus: (target: EventTarget) => void;
  /** True where a field that the person was in holds something else than before. */
  hasTyped: () => boolean;
  /** What was noted so far is of no interest any more. */
  forget: () => void;
}

/**
 * Knows whether a person entered something into the fields of `area`, whoever keeps their values. Fields that are gone
 * meanwhile (an earlier step of the same form) count as they were last.
 */
export function useTypedInput(area: RefObject<HTMLElement | null>): TypedInput {
  return useMemo(() => {
    const before = new Map<Control, string>();
    const visited = new Set<Control>();
    return {
      noteFocus: (target) => {
        // All of them, not the one alone: choosing one of several radio buttons changes another.
        for (const control of controlsIn(area.current)) {
          if (!before.has(control)) before.set(control, textOf(control));
        }
        if (before.has(target as Control)) visited.add(target as Control);
      },
      hasTyped: () => [...visited].some((control) => textOf(control) !== before.get(control)),
      forget: () => {
        before.clear();
        visited.clear();
      },
    };
  }, [area]);
}

function controlsIn(area: HTMLElement | null): Iterable<Control> {
  return area?.querySelectorAll<Control>("input, textarea, select") ?? [];
}

function textOf(control: Control): string {
  const isPressed = control.type === "checkbox" || control.type === "radio";
  return isPressed ? String((control as HTMLInputElement).checked) : control.value;
}
