import {
  type ComponentPropsWithRef,
  type ComponentType,
  createContext,
  type ReactElement,
  type ReactNode,
} from "react";

// Parts that dialogs and menus give to the components inside. Pages name these components before overlays.ts has loaded
// the dialog or the menu.

export type TriggerButton = ReactElement<ComponentPropsWithRef<"button">>;

/** Parts of the dialog around a component. */
export const DialogContext = createContext<{
  Close: ComponentType<{ render: ReactElement }>;
} | null>(null);

/** Place of a form in a dialog that is always in view, for effects of the change. Null: there is none, or not yet. */
export const EffectsContext = createContext<HTMLElement | null>(null);

export interface MenuItemProps {
  onSelect: () => void;
  isDanger?: boolean;
  isDisabled?: boolean;
  children: ReactNode;
}

export interface MenuCheckboxProps {
  isChecked: boolean;
  onChange: (isChecked: boolean) => void;
  /** Closes the menu. Default: it stays open for further choices. */
  isClosing?: boolean;
  children: ReactNode;
}

/** Parts of the menu around a component. */
export const MenuContext = createContext<{
  Item: ComponentType<MenuItemProps>;
  CheckboxItem: ComponentType<MenuCheckboxProps>;
  Separator: ComponentType;
} | null>(null);
