import { Link } from "@tanstack/react-router";
import type { Answer } from "../../api-client.ts";
import { issueWords } from "../../kit/api-keys/issue-words.ts";
import { formatCount, formatPlural } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { ErrorState, SkeletonRows } from "../../ui/states.tsx";
import { useKeyHygiene } from "./queries.ts";

/** Counts of keys that need attention. Each links to its keys. */
export function KeyHygiene() {
  const hygiene = useKeyHygiene();
  return (
    <Section title="Keys that need attention" lead={hygiene.data && describe(hygiene.data)}>
      {hygiene.error && !hygiene.data ? (
        <ErrorState error={hygiene.error} onRetry={() => void hygiene.refetch()} />
      ) : hygiene.data ? (
        <ul className="grid gap-x-8 border-t border-line sm:grid-cols-2 lg:grid-cols-3">
          {hygiene.data.cards.map((card) => (
            <Card key={card.issue} {...card} />
          ))}
        </ul>
      ) : (
        <SkeletonRows rows={3} />
      )}
    </Section>
  );
}

function describe({ keys, keys_needing_attention: count }: Answer<"getKeyHygiene">): string {
  if (keys === 0) return "No key exists yet.";
  if (count === 0) return `None of ${formatPlural(keys, "working key")} needs attention.`;
  return `${formatCount(count)} of ${formatPlural(keys, "working key")} ${count === 1 ? "needs" : "need"} attention. A key without an expiry, an owner or its own limit does not.`;
}

function Card({ issue, count }: Answer<"getKeyHygiene">["cards"][number]) {
  const { label, advice } = issueWords[issue];
  return (
    <li className="relative grid grid-cols-[2.75rem_1fr] items-baseline gap-x-3 border-b border-line py-3.5">
      <span className="figures font-serif text-[1.625rem] leading-tight font-[520]">
        {formatCount(count)}
      </span>
      <span className="grid gap-0.5">
        {count > 0 ? (
          <Link
            to="/api-keys"
            search={{ issue }}
            className="w-fit rounded-sm font-medium after:absolute after:inset-0 hover:underline"
          >
            {label}
          </Link>
        ) : (
          <span className="font-medium text-quiet">{label}</span>
        )}
        <span className="text-sm text-quiet">{count > 0 ? advice : "None."}</span>
      </span>
    </li>
  );
}
