import { Menu as Base } from "@base-ui/react/menu";
import { Check } from "lucide-react";
import { type FocusEvent, type ReactNode, useRef } from "react";
import { classNames } from "./class-names.ts";
import {
  type MenuCheckboxProps,
  MenuContext,
  type MenuItemProps,
  type TriggerButton,
} from "./overlay-context.ts";

interface MenuPopupProps {
  trigger: TriggerButton;
  align: "start" | "end";
  children: ReactNode;
}

/** A menu that is open at first. */
export function MenuPopup({ trigger, align, children }: MenuPopupProps) {
  const isEntered = useRef(false);
  /** Goes to the first item, if a key opened the menu. The library does so only for menus that are closed at first. */
  const enter = ({ target, currentTarget }: FocusEvent<HTMLElement>) => {
    if (isEntered.current || target !== currentTarget) return;
    isEntered.current = true;
    if (!currentTarget.matches(":focus-visible")) return;
    currentTarget.querySelector<HTMLElement>("[role^=menuitem]:not([data-disabled])")?.focus();
  };
  return (
    <Base.Root defaultOpen>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={5} align={align} className="z-60 outline-none">
          <Base.Popup
            onFocus={enter}
            className="max-h-(--available-height) min-w-48 overflow-y-auto rounded-lg border border-line bg-raised p-1 text-sm shadow-popup outline-none transition-opacity duration-100 data-ending-style:opacity-0 data-starting-style:opacity-0"
          >
            <MenuContext value={{ Item, CheckboxItem, Separator }}>{children}</MenuContext>
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

const itemShape =
  "flex min-h-8 cursor-default items-center gap-2.5 rounded-md px-2.5 py-1.5 outline-none select-none " +
  "data-highlighted:bg-sunk data-disabled:opacity-50 pointer-coarse:min-h-11";

function Item({ onSelect, isDanger, isDisabled, children }: MenuItemProps) {
  return (
    <Base.Item
      onClick={onSelect}
      disabled={isDisabled === true}
      className={classNames(itemShape, isDanger && "text-bad")}
    >
      {children}
    </Base.Item>
  );
}

function CheckboxItem(props: MenuCheckboxProps) {
  const { isChecked, onChange, isClosing = false, children } = props;
  return (
    <Base.CheckboxItem
      checked={isChecked}
      onCheckedChange={(checked) => onChange(checked)}
      closeOnClick={isClosing}
      className={itemShape}
    >
      <span className="grid size-4 shrink-0 place-items-center text-accent">
        <Base.CheckboxItemIndicator>
          <Check size={15} aria-hidden="true" />
        </Base.CheckboxItemIndicator>
      </span>
      {children}
    </Base.CheckboxItem>
  );
}

function Separator() {
  return <Base.Separator className="my-1 border-t border-line" />;
}
