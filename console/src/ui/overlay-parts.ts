import { ComboboxField, FilterList } from "./combobox-list.tsx";
import { DialogPopup } from "./dialog-popup.tsx";
import { MenuPopup } from "./menu-popup.tsx";

/** All that overlays.ts loads, in one file of the build. */
export const overlayParts = { DialogPopup, MenuPopup, ComboboxField, FilterList };
