import { useSyncExternalStore } from "react";
import { Badge } from "../../ui/badge.tsx";
import { classNames } from "../../ui/class-names.ts";
import { formatTime } from "../../ui/format.ts";
import { LIVE_MS } from "./report-query.ts";

/** True while the page is visible. Repeated queries pause while it is hidden. */
function useIsVisible(): boolean {
  return useSyncExternalStore(
    (onChange) => {
      document.addEventListener("visibilitychange", onChange);
      return () => document.removeEventListener("visibilitychange", onChange);
    },
    () => document.visibilityState !== "hidden",
  );
}

interface LiveToggleProps {
  isLive: boolean;
  onChange: (isLive: boolean) => void;
}

/** Turns on live updates, which run while the page is visible. */
export function LiveToggle({ isLive, onChange }: LiveToggleProps) {
  const isVisible = useIsVisible();
  const isOn = isLive && isVisible;
  return (
    <span className="flex items-center gap-2.5">
      <button
        type="button"
        aria-pressed={isLive}
        onClick={() => onChange(!isLive)}
        className="inline-flex min-h-9 items-center gap-2 rounded-md border border-edge/55 bg-raised px-3 text-sm hover:border-edge aria-pressed:border-accent/50 aria-pressed:bg-accent-wash aria-pressed:text-accent pointer-coarse:min-h-11"
      >
        <span
          aria-hidden="true"
          className={classNames(
            "size-2 rounded-full",
            isOn ? "bg-accent motion-safe:animate-pulse" : "bg-edge",
          )}
        />
        Live
      </button>
      {isLive && (
        <span className="text-sm text-quiet">
          {isVisible
            ? `Refreshes every ${LIVE_MS / 1_000} seconds while this tab is visible`
            : "Paused while hidden"}
        </span>
      )}
    </span>
  );
}

/** Warns after a failed refresh, with the age of the shown data. */
export function StaleBadge({ error, readAt }: { error: Error | null; readAt: string }) {
  if (!error) return null;
  return (
    <span role="status" title={error.message}>
      <Badge tone="warn">Not refreshed since {formatTime(readAt)}</Badge>
    </span>
  );
}
