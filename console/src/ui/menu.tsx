import { cloneElement, type ReactNode, use, useState } from "react";
import {
  type MenuCheckboxProps,
  MenuContext,
  type MenuItemProps,
  type TriggerButton,
} from "./overlay-context.ts";
import { useOverlays } from "./overlays.ts";

interface MenuProps {
  /** Button that opens the menu. */
  trigger: TriggerButton;
  align?: "start" | "end";
  isOpenAtFirst?: boolean;
  children: ReactNode;
}

/** A menu, whose button is shown at once. The menu is loaded when a button is first pressed. */
export function Menu({ trigger, align = "end", isOpenAtFirst = false, children }: MenuProps) {
  const [isWanted, setIsWanted] = useState(isOpenAtFirst);
  const overlays = useOverlays(isWanted);
  if (isWanted && overlays) {
    return (
      <overlays.MenuPopup trigger={trigger} align={align}>
        {children}
      </overlays.MenuPopup>
    );
  }
  return cloneElement(trigger, {
    "aria-haspopup": "menu",
    "aria-expanded": false,
    onClick: () => setIsWanted(true),
    onKeyDown: ({ key }) => {
      if (key === "ArrowDown") setIsWanted(true);
    },
  });
}

function useMenuParts() {
  const parts = use(MenuContext);
  if (!parts) throw new Error("an item is in a menu");
  return parts;
}

export function MenuItem(props: MenuItemProps) {
  const { Item } = useMenuParts();
  return <Item {...props} />;
}

/** Item that is on or off. */
export function MenuCheckbox(props: MenuCheckboxProps) {
  const { CheckboxItem } = useMenuParts();
  return <CheckboxItem {...props} />;
}

export function MenuSeparator() {
  const { Separator } = useMenuParts();
  return <Separator />;
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <div className="px-2.5 pt-1.5 pb-1 text-xs text-faint">{children}</div>;
}
