import { RelativeTime } from "../../ui/relative-time.tsx";
import { type AccessFacts, giverOf, reachOf, reasonOf, whoseNote, whoseOf } from "./words.ts";

/** Whose access it is, in two lines. */
export function Whose({ access }: { access: AccessFacts }) {
  return (
    <span className="grid max-w-64">
      <span className="truncate font-medium">{whoseOf(access)}</span>
      <span className="truncate text-xs text-quiet">{whoseNote(access)}</span>
    </span>
  );
}

/** Where it reaches and why, in two lines. */
export function Reach({ access }: { access: AccessFacts }) {
  return (
    <span className="grid max-w-80">
      <span className="truncate">{reachOf(access)}</span>
      <span className="truncate text-xs text-quiet" title={reasonOf(access)}>
        {reasonOf(access)}
      </span>
    </span>
  );
}

export function Given({ access }: { access: AccessFacts }) {
  const giver = giverOf(access);
  return (
    <span className="grid max-w-44">
      <RelativeTime at={access.granted_at} />
      {giver && <span className="truncate text-xs text-quiet">by {giver}</span>}
    </span>
  );
}

/** Never used, or an admin key from before uses were noted: both is "no use noted". */
export function LastUsed({ access }: { access: AccessFacts }) {
  return (
    <RelativeTime
      at={access.last_used_at}
      absent={access.path === "admin_key" ? "Not recorded" : "Never"}
    />
  );
}
