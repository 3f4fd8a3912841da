import { classNames } from "./class-names.ts";
import { formatUsd, nanoToUsdText, shareOf, toNanoUsd } from "./format.ts";

interface SpendBarProps {
  spentUsd: string;
  heldUsd?: string;
  unresolvedUsd?: string;
  limitUsd: string;
  /** Shows the amounts in a line below. */
  isExplained?: boolean;
}

const NEAR = 0.75;
const CLOSE = 0.9;

/**
 * Use of a limit: spent (solid), held for requests (hatched), unresolved (dotted), and the rest. An SVG has its
 * widths in attributes, so the page needs no inline styles.
 */
export function SpendBar(props: SpendBarProps) {
  const { spentUsd, heldUsd = "0", unresolvedUsd = "0", limitUsd, isExplained } = props;
  const spent = Math.min(1, shareOf(spentUsd, limitUsd));
  const held = Math.min(1 - spent, shareOf(heldUsd, limitUsd));
  const unresolved = Math.min(1 - spent - held, shareOf(unresolvedUsd, limitUsd));
  const color =
    spent >= 1
      ? "text-bad"
      : spent >= CLOSE
        ? "text-bad"
        : spent >= NEAR
          ? "text-warn"
          : "text-accent";
  const words = [
    `${formatUsd(spentUsd)} spent`,
    isPositive(heldUsd) && `${formatUsd(heldUsd)} held for requests`,
    isPositive(unresolvedUsd) && `${formatUsd(unresolvedUsd)} unresolved`,
    `${formatUsd(remaining(props))} remaining of ${formatUsd(limitUsd)}`,
  ].filter((word) => word !== false);
  return (
    <div className="grid gap-1">
      <svg
        role="img"
        aria-label={words.join(", ")}
        viewBox="0 0 100 2"
        preserveAspectRatio="none"
        className={classNames("h-2 w-full overflow-hidden rounded-full bg-line", color)}
      >
        <title>{words.join(", ")}</title>
        <rect width={spent * 100} height="2" fill="currentColor" />
        <rect x={spent * 100} width={held * 100} height="2" fill="currentColor" opacity="0.45" />
        <rect
          x={(spent + held) * 100}
          width={unresolved * 100}
          height="2"
          className="fill-faint"
          opacity="0.6"
        />
      </svg>
      {isExplained && <p className="figures text-sm text-quiet">{words.join(" · ")}</p>}
    </div>
  );
}

function isPositive(usd: string): boolean {
  return toNanoUsd(usd) > 0n;
}

function remaining({
  spentUsd,
  heldUsd = "0",
  unresolvedUsd = "0",
  limitUsd,
}: SpendBarProps): string {
  const nano =
    toNanoUsd(limitUsd) - toNanoUsd(spentUsd) - toNanoUsd(heldUsd) - toNanoUsd(unresolvedUsd);
  return nano <= 0n ? "0" : nanoToUsdText(nano);
}
