import { Menu as Base } from "@base-ui/react/menu";
import { Check } from "lucide-react";
import type { ReactElement, ReactNode } from "react";
import { classNames } from "./class-names.ts";

interface MenuProps {
  /** Button that opens the menu. */
  trigger: ReactElement;
  align?: "start" | "end";
  isOpenAtFirst?: boolean;
  children: ReactNode;
}

export function Menu({ trigger, align = "end", isOpenAtFirst = false, children }: MenuProps) {
  return (
    <Base.Root defaultOpen={isOpenAtFirst}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={5} align={align} className="z-60 outline-none">
          <Base.Popup className="max-h-(--available-height) min-w-48 overflow-y-auto rounded-lg border border-line bg-raised p-1 text-sm shadow-popup outline-none transition-opacity duration-100 data-ending-style:opacity-0 data-starting-style:opacity-0">
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

const itemShape =
  "flex min-h-8 cursor-default items-center gap-2.5 rounded-md px-2.5 py-1.5 outline-none select-none " +
  "data-highlighted:bg-sunk data-disabled:opacity-50 pointer-coarse:min-h-11";

interface MenuItemProps {
  onSelect: () => void;
  isDanger?: boolean;
  isDisabled?: boolean;
  children: ReactNode;
}

export function MenuItem({ onSelect, isDanger, isDisabled, children }: MenuItemProps) {
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

interface MenuCheckboxProps {
  isChecked: boolean;
  onChange: (isChecked: boolean) => void;
  /** Closes the menu. Default: it stays open for further choices. */
  isClosing?: boolean;
  children: ReactNode;
}

/** Item that is on or off. */
export function MenuCheckbox(props: MenuCheckboxProps) {
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

export function MenuSeparator() {
  return <Base.Separator className="my-1 border-t border-line" />;
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <div className="px-2.5 pt-1.5 pb-1 text-xs text-faint">{children}</div>;
}
