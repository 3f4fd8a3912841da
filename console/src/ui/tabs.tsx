import { Link, type LinkProps, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

export interface Tab {
  label: string;
  to: LinkProps["to"];
  params?: Record<string, string>;
}

/** Tabs that each have their own address. */
export function TabLinks({ label, tabs }: { label: string; tabs: readonly Tab[] }) {
  const nav = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another address has another current tab.
  useEffect(() => {
    const current = nav.current?.querySelector("[aria-current=page]");
    current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [pathname]);
  return (
    <nav ref={nav} aria-label={label} className="no-print -mx-1 overflow-x-auto px-1">
      <ul className="flex w-max min-w-full border-b border-line sm:gap-1">
        {tabs.map((tab) => (
          <li key={tab.label}>
            <Link
              {...({ to: tab.to, params: tab.params } as LinkProps)}
              activeOptions={{ exact: true, includeSearch: false }}
              className="-mb-px block border-b-2 border-transparent px-2 py-2 sm:px-3 text-sm whitespace-nowrap text-quiet hover:text-ink aria-[current=page]:border-accent aria-[current=page]:font-medium aria-[current=page]:text-ink"
            >
              {tab.label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

interface SegmentsProps<Value extends string> {
  label: string;
  value: Value;
  options: readonly (readonly [value: Value, label: string])[];
  onChange: (value: Value) => void;
}

/** Selects one of a few options. */
export function Segments<Value extends string>(props: SegmentsProps<Value>) {
  const { label, value, options, onChange } = props;
  return (
    <fieldset className="inline-flex flex-wrap rounded-md border border-edge/55 bg-raised p-0.5">
      <legend className="sr-only">{label}</legend>
      {options.map(([key, text]) => (
        <button
          key={key}
          type="button"
          aria-pressed={key === value}
          onClick={() => onChange(key)}
          className="min-h-7.5 rounded-[0.25rem] px-2.5 text-sm whitespace-nowrap text-quiet transition-colors hover:text-ink aria-pressed:bg-accent-wash aria-pressed:font-medium aria-pressed:text-accent pointer-coarse:min-h-10"
        >
          {text}
        </button>
      ))}
    </fieldset>
  );
}
