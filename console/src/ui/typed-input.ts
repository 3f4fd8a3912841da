import { type RefObject, type SyntheticEvent, useMemo } from "react";

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

interface TypedInput {
  /** For whatever holds the fields. */
  handlers: {
    onFocusCapture: (event: SyntheticEvent) => void;
    onPointerDownCapture: (event: SyntheticEvent) => void;
    onKeyDownCapture: (event: SyntheticEvent) => void;
    onInputCapture: (event: SyntheticEvent) => void;
  };
  /** True where a field that the person was in holds something else than before. */
  hasTyped: () => boolean;
  /** What was noted so far is of no interest any more. */
  forget: () => void;
}

/**
 * Knows whether a person entered something into the fields of `area`, whoever keeps their values. What is chosen without a
 * field (a list with buttons) counts where a hidden field holds it. Fields that are gone meanwhile (an earlier step of the
 * same form) count as they were last.
 */
export function useTypedInput(area: RefObject<HTMLElement | null>): TypedInput {
  return useMemo(() => {
    /** Null: nobody saw what was in it before. */
    const before = new Map<Control, string | null>();
    const visited = new Set<Control>();
    // Before anything can change. Not the focus alone: some browsers give none to what is pressed, and a field may have
    // had it before. And all of the fields: choosing one of several radio buttons changes another.
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
          // A browser fills in what nobody was in.
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
