import { classNames } from "./class-names.ts";
import { formatCountShort, formatPlural, formatUsd } from "./format.ts";

/** An amount of US dollars from exact decimal text. Its title has the exact amount. */
export function Money({ usd, className }: { usd: string; className?: string }) {
  return (
    <span className={classNames("figures whitespace-nowrap", className)} title={`$${usd}`}>
      {formatUsd(usd)}
    </span>
  );
}

/** A shortened number of tokens. Its title has the exact number. */
export function Tokens({ count, className }: { count: number; className?: string }) {
  return (
    <span
      className={classNames("figures whitespace-nowrap", className)}
      title={formatPlural(count, "token")}
    >
      {formatCountShort(count)}
    </span>
  );
}
