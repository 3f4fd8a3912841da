import { formatCount } from "../../ui/format.ts";

/** Progress bar as SVG, since the content security policy forbids style attributes. */
export function ProgressBar({ done, of, what }: { done: number; of: number; what: string }) {
  const share = of === 0 ? 1 : done / of;
  const words = `${formatCount(done)} of ${formatCount(of)} ${what}`;
  return (
    <span className="grid max-w-md gap-1">
      <svg
        role="img"
        aria-label={words}
        viewBox="0 0 100 2"
        preserveAspectRatio="none"
        className="h-1.5 w-full overflow-hidden rounded-full bg-line text-accent"
      >
        <title>{words}</title>
        <rect width={share * 100} height="2" fill="currentColor" />
      </svg>
      <span aria-hidden="true" className="figures text-xs whitespace-nowrap text-quiet">
        {words}
      </span>
    </span>
  );
}
