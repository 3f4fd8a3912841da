import { classNames } from "./class-names.ts";
import { formatShare, formatUsd, nanoToUsdText, shareOf, toNanoUsd } from "./format.ts";

interface SpendBarProps {
  spentUsd: string;
  heldUsd?: string;
  unresolvedUsd?: string;
  limitUsd: string;
  /** Shows the percent beside the bar, and the amounts in a line below. */
  isExplained?: boolean;
  /** The limit refuses nothing. Its bar is never red. */
  isAdvisory?: boolean;
}

const NEAR = 0.75;
const CLOSE = 0.9;

/**
 * Use of a limit: spent (solid), held for requests (hatched), unresolved (dotted), and the rest. An SVG has its
 * widths in attributes, so the page needs no inline styles.
 */
export function SpendBar(props: SpendBarProps) {
  const { spentUsd, heldUsd = "0", unresolvedUsd = "0", limitUsd, isExplained } = props;
  const share = shareOf(spentUsd, limitUsd);
  const spent = Math.min(1, share);
  const held = Math.min(1 - spent, shareOf(heldUsd, limitUsd));
  const unresolved = Math.min(1 - spent - held, shareOf(unresolvedUsd, limitUsd));
  const color = findColor(share, props.isAdvisory === true);
  const words = [
    `${formatUsd(spentUsd)} spent`,
    isPositive(heldUsd) && `${formatUsd(heldUsd)} held for requests`,
    isPositive(unresolvedUsd) && `${formatUsd(unresolvedUsd)} unresolved`,
    `${formatUsd(remaining(props))} remaining of ${formatUsd(limitUsd)}`,
  ].filter((word) => word !== false);
  const bar = (
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
  );
  if (!isExplained) return <div className="grid">{bar}</div>;
  return (
    <div className="grid gap-1">
      <span className="flex items-center gap-3">
        {bar}
        <span className={classNames("figures w-12 shrink-0 text-right text-sm font-medium", color)}>
          {formatShare(share)}
        </span>
      </span>
      <p className="figures text-sm text-quiet">{words.join(" · ")}</p>
    </div>
  );
}

/** A limit that only sends alerts has no danger of a stop, so it has no red. */
function findColor(share: number, isAdvisory: boolean): string {
  if (isAdvisory) return share >= 1 ? "text-warn" : "text-quiet";
  if (share >= CLOSE) return "text-bad";
  return share >= NEAR ? "text-warn" : "text-accent";
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
