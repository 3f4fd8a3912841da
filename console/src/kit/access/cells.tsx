import { RelativeTime } from "../../ui/relative-time.tsx";
import {
  type AccessFacts,
  formatAccessScope,
  formatAccessSource,
  formatGranter,
  formatHolder,
  formatHolderNote,
} from "./words.ts";

/** Holder of the access, in two lines. */
export function HolderCell({ access }: { access: AccessFacts }) {
  return (
    <span className="grid max-w-64">
      <span className="truncate font-medium">{formatHolder(access)}</span>
      <span className="truncate text-xs text-quiet">{formatHolderNote(access)}</span>
    </span>
  );
}

/** Scope and source of the access, in two lines. */
export function ScopeCell({ access }: { access: AccessFacts }) {
  return (
    <span className="grid max-w-80">
      <span className="truncate">{formatAccessScope(access)}</span>
      <span className="truncate text-xs text-quiet" title={formatAccessSource(access)}>
        {formatAccessSource(access)}
      </span>
    </span>
  );
}

export function GranterCell({ access }: { access: AccessFacts }) {
  const giver = formatGranter(access);
  return (
    // As wide as "59 minutes ago" at least.
    <span className="grid max-w-44 min-w-27">
      <RelativeTime at={access.granted_at} />
      {giver && <span className="truncate text-xs text-quiet">by {giver}</span>}
    </span>
  );
}

/** Time of the last use. Old admin keys have none recorded either. */
export function LastUsed({ access }: { access: AccessFacts }) {
  return (
    <RelativeTime
      at={access.last_used_at}
      absent={access.path === "admin_key" ? "Not recorded" : "Never"}
    />
  );
}
