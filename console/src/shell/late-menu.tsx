import {
  type ComponentPropsWithRef,
  type ComponentType,
  cloneElement,
  type LazyExoticComponent,
  type ReactElement,
  Suspense,
  useState,
} from "react";

export type TriggerButton = ReactElement<ComponentPropsWithRef<"button">>;

interface LateMenuProps {
  /** The button that opens it. */
  trigger: TriggerButton;
  /** The menu around that button, open at first. */
  Late: LazyExoticComponent<ComponentType<{ trigger: TriggerButton }>>;
}

/** A menu of the shell: what opens it is there at once, the menu itself is loaded when it is first opened. */
export function LateMenu({ trigger, Late }: LateMenuProps) {
  const [isWanted, setIsWanted] = useState(false);
  const closed = cloneElement(trigger, {
    "aria-haspopup": "menu",
    "aria-expanded": false,
    onClick: () => setIsWanted(true),
    onKeyDown: ({ key }) => {
      if (key === "ArrowDown") setIsWanted(true);
    },
  });
  if (!isWanted) return closed;
  return (
    <Suspense fallback={closed}>
      <Late trigger={trigger} />
    </Suspense>
  );
}
