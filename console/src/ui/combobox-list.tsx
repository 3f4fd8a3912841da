import { Combobox as Base } from "@base-ui/react/combobox";
import { Check, ChevronDown, Search } from "lucide-react";
import {
  type ComboboxProps,
  describeFilter,
  type FilterProps,
  filterLook,
  inputLook,
  type Option,
} from "./combobox-props.ts";

const popup =
  "w-max max-w-[min(26rem,calc(100vw-2rem))] min-w-[max(14rem,var(--anchor-width))] rounded-lg border border-line " +
  "bg-raised text-sm shadow-popup outline-none transition-opacity duration-100 data-ending-style:opacity-0 " +
  "data-starting-style:opacity-0";

function Options({ emptyText }: { emptyText: string }) {
  return (
    <>
      <Base.Empty>
        <p className="px-3 py-3 text-quiet">{emptyText}</p>
      </Base.Empty>
      <Base.List className="max-h-[min(20rem,var(--available-height))] overflow-y-auto p-1 outline-none data-empty:p-0">
        {(option: Option) => (
          <Base.Item
            key={option.value}
            value={option}
            className="flex min-h-8 cursor-default items-center gap-2 rounded-md px-2.5 py-1.5 outline-none select-none data-highlighted:bg-sunk pointer-coarse:min-h-11"
          >
            {option.mark}
            <span className="min-w-0 flex-1 truncate">{option.label}</span>
            {option.note && <span className="text-faint">{option.note}</span>}
            <Base.ItemIndicator>
              <Check size={15} className="text-accent" />
            </Base.ItemIndicator>
          </Base.Item>
        )}
      </Base.List>
    </>
  );
}

/** Maximum number of options in the list. Typing finds the others. */
const MAX_DRAWN = 100;

interface ComboboxFieldProps extends ComboboxProps {
  /** The field had the focus before its list was loaded. */
  isFocusedAtFirst: boolean;
}

/** Selects one of many options. Typing filters them. */
export function ComboboxField(props: ComboboxFieldProps) {
  const { control, options, value, onChange, placeholder, isFocusedAtFirst } = props;
  const selected = options.find((option) => option.value === value) ?? null;
  return (
    <Base.Root
      items={options}
      limit={MAX_DRAWN}
      value={selected}
      // Escape closes the dialog around the field, and must not clear the field first.
      onValueChange={(option, details) => {
        if (details.reason === "escape-key") details.cancel();
        else onChange(option?.value ?? null);
      }}
      onInputValueChange={(_, details) => {
        if (details.reason !== "escape-key") return;
        details.cancel();
        details.allowPropagation();
      }}
      itemToStringLabel={(option) => option.label}
      isItemEqualToValue={(a, b) => a.value === b.value}
      autoHighlight
    >
      <Base.InputGroup className="relative">
        <Base.Input
          {...control}
          autoFocus={isFocusedAtFirst}
          placeholder={placeholder}
          className={inputLook}
        />
        <Base.Trigger
          aria-label="Show all"
          className="absolute inset-y-0 right-0 grid w-9 place-items-center text-quiet"
        >
          <ChevronDown size={15} />
        </Base.Trigger>
      </Base.InputGroup>
      <Base.Portal>
        <Base.Positioner sideOffset={4} align="start" className="z-60 outline-none">
          <Base.Popup className={popup}>
            <Options emptyText="No match." />
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

/** The list of a filter, open at first. */
export function FilterList(props: FilterProps) {
  const { label, options, values, onChange, isLoading } = props;
  const selected = options.filter((option) => values.includes(option.value));
  return (
    <Base.Root
      multiple
      defaultOpen
      items={options}
      limit={MAX_DRAWN}
      value={selected}
      onValueChange={(chosen) => onChange(chosen.map((option) => option.value))}
      itemToStringLabel={(option) => option.label}
      isItemEqualToValue={(a, b) => a.value === b.value}
    >
      <Base.Trigger
        aria-label={`${label}: ${describeFilter(selected, values.length)}`}
        className={filterLook(values.length > 0)}
      >
        <span className="text-quiet">{label}</span>
        <span className="max-w-40 truncate font-medium">
          {describeFilter(selected, values.length)}
        </span>
        <ChevronDown size={14} className="text-quiet" />
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} align="start" className="z-60 outline-none">
          <Base.Popup className={popup} aria-label={`Choose: ${label}`}>
            <div className="relative border-b border-line">
              <Search size={14} className="absolute top-1/2 left-3 -translate-y-1/2 text-faint" />
              <Base.Input
                placeholder="Search"
                aria-label={`Search: ${label}`}
                className="min-h-9 w-full rounded-t-lg bg-transparent pr-3 pl-8 outline-none"
              />
            </div>
            <Options emptyText={isLoading ? "Loading…" : "No match."} />
            {values.length > 0 && (
              <div className="border-t border-line p-1">
                <button
                  type="button"
                  onClick={() => onChange([])}
                  className="min-h-8 w-full rounded-md px-2.5 text-left text-quiet hover:bg-sunk"
                >
                  Show all
                </button>
              </div>
            )}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
