import { Link } from "@tanstack/react-router";
import { scopeLabel } from "../../kit/scopes/scope-names.ts";
import type { ItemOf } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { ButtonLink } from "../../ui/button.tsx";
import { formatUsd } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { toIncreaseSearch } from "./my-limits.tsx";
import type { MyLimit } from "./queries.ts";

type IncreaseRequest = ItemOf<"listIncreaseRequests">;

const tones: Record<IncreaseRequest["status"], Tone> = {
  pending: "accent",
  approved: "good",
  denied: "bad",
  withdrawn: "plain",
};

const SHOWN = 5;

interface MyIncreaseRequestsProps {
  requests: readonly IncreaseRequest[];
  /** Limit that a new request selects. Undefined: the person has none. */
  narrowest: MyLimit | undefined;
}

/** The newest requests of the member and their keys for a higher limit, and the way to a new one. */
export function MyIncreaseRequests({ requests, narrowest }: MyIncreaseRequestsProps) {
  const may = useMay();
  if (!may("spend_limits:request")) return null;
  const own = requests.filter((request) => request.is_own).slice(0, SHOWN);
  return (
    <Section
      title="Your increase requests"
      actions={
        <ButtonLink
          to="/increase-requests/new"
          search={(narrowest && toIncreaseSearch(narrowest)) ?? {}}
        >
          Request increase
        </ButtonLink>
      }
    >
      {own.length === 0 ? (
        <p className="border-y border-line py-6 text-sm text-quiet">
          You have not requested a higher limit.
        </p>
      ) : (
        <ul className="divide-y divide-line border-y border-line text-sm">
          {own.map((request) => (
            <li key={request.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 py-3">
              <Link
                to="/increase-requests/$requestId"
                params={{ requestId: request.id }}
                className="flex-1 basis-52 font-medium hover:underline"
              >
                {formatUsd(request.amount_usd)} for{" "}
                {scopeLabel(request.scope.type, request.scope_name)}
              </Link>
              <Badge tone={tones[request.status]}>{request.status}</Badge>
              <span className="text-quiet">
                <RelativeTime at={request.created_at} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
