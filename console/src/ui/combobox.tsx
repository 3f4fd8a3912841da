import { ChevronDown } from "lucide-react";
import { useState } from "react";
import {
  type ComboboxProps,
  describeFilter,
  type FilterProps,
  filterLook,
  inputLook,
} from "./combobox-props.ts";
import { useOverlays } from "./overlays.ts";

export type { Option } from "./combobox-props.ts";

/** Selects one of many options. Typing filters them. The list is loaded when someone comes to the field. */
export function Combobox(props: ComboboxProps) {
  const [isNear, setIsNear] = useState(false);
  const [hasFocus, setHasFocus] = useState(false);
  const overlays = useOverlays(isNear || hasFocus);
  if (overlays) return <overlays.ComboboxField {...props} isFocusedAtFirst={hasFocus} />;
  const { control, options, value, placeholder } = props;
  const selected = options.find((option) => option.value === value);
  return (
    <span className="relative block">
      <input
        {...control}
        readOnly
        onPointerEnter={() => setIsNear(true)}
        onFocus={() => setHasFocus(true)}
        onBlur={() => setHasFocus(false)}
        value={selected?.label ?? ""}
        placeholder={placeholder}
        className={inputLook}
      />
      <span className="absolute inset-y-0 right-0 grid w-9 place-items-center text-quiet">
        <ChevronDown size={15} />
      </span>
    </span>
  );
}

/** Attributes of the button before its list is loaded, the same as after. */
const closedList = { role: "combobox", "aria-haspopup": "dialog", "aria-expanded": false } as const;

/** Selects any number of options for a filter. No selection means all. */
export function Filter(props: FilterProps) {
  const [isWanted, setIsWanted] = useState(false);
  const overlays = useOverlays(isWanted);
  if (isWanted && overlays) return <overlays.FilterList {...props} />;
  const { label, options, values, onNear } = props;
  const chosen = describeFilter(
    options.filter((option) => values.includes(option.value)),
    values.length,
  );
  return (
    <button
      type="button"
      {...closedList}
      aria-label={`${label}: ${chosen}`}
      onPointerEnter={onNear}
      onFocus={onNear}
      onClick={() => {
        onNear?.();
        setIsWanted(true);
      }}
      className={filterLook(values.length > 0)}
    >
      <span className="text-quiet">{label}</span>
      <span className="max-w-40 truncate font-medium">{chosen}</span>
      <ChevronDown size={14} className="text-quiet" />
    </button>
  );
}
