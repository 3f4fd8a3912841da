import { Link } from "@tanstack/react-router";
import type { ItemOf } from "../../queries.ts";
import { useMay, useSession } from "../../session.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { ButtonLink } from "../../ui/button.tsx";
import { formatUsd } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";

type IncreaseRequest = ItemOf<"listIncreaseRequests">;

const tones: Record<IncreaseRequest["status"], Tone> = {
  pending: "accent",
  approved: "good",
  denied: "bad",
  withdrawn: "plain",
};

const SHOWN = 5;

/** The member's own newest requests for a higher limit, and the way to a new one. */
export function MyIncreaseRequests({ requests }: { requests: readonly IncreaseRequest[] }) {
  const { member } = useSession();
  const may = useMay();
  if (!may("spend_limits:request")) return null;
  const own = requests.filter(({ requester }) => requester.id === member.id).slice(0, SHOWN);
  return (
    <Section
      title="Your increase requests"
      actions={<ButtonLink to="/increase-requests/new">Request increase</ButtonLink>}
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
                {formatUsd(request.amount_usd)} for {request.scope_name}
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
