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
  /** Button that opens the menu. */
  trigger: TriggerButton;
  /** The menu around that button, initially open. */
  Late: LazyExoticComponent<ComponentType<{ trigger: TriggerButton }>>;
}

/** Menu whose button is shown at once. The menu is loaded when the button is first pressed. */
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
