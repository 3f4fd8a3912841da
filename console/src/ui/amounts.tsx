import { classNames } from "./class-names.ts";
import { formatCountShort, formatPlural, formatUsd } from "./format.ts";

/** An amount of US dollars, given as exact decimal text; the exact amount is in its title. */
export function Money({ usd, className }: { usd: string; className?: string }) {
  return (
    <span className={classNames("figures whitespace-nowrap", className)} title={`$${usd}`}>
      {formatUsd(usd)}
    </span>
  );
}

/** A number of tokens, shortened; the exact number is in its title. */
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
