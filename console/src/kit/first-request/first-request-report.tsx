import { Link } from "@tanstack/react-router";
import { Check, X } from "lucide-react";
import type { ReactNode } from "react";
import { useMay, useSession } from "../../session.ts";
import { Money, Tokens } from "../../ui/amounts.tsx";
import { Button } from "../../ui/button.tsx";
import { classNames } from "../../ui/class-names.ts";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { usePersonalKeyOptions } from "../personal-keys/queries.ts";
import type { LoggedRequest } from "../requests/queries.ts";
import { explainRefusal, type Refusal } from "../requests/refusal-words.ts";
import { addAdjustment, describeStatus } from "../requests/words.ts";
import { IncreaseLink } from "../spend-limits/increase-link.tsx";
import { isSimulated, SimulatedMark } from "../usage/simulated.tsx";
import type { Arrival, FirstRequestState } from "./first-request.ts";
import type { FirstRequestWait } from "./use-first-request.ts";

/** Reports the wait for a first request, the request, or the reason of its refusal. */
export function FirstRequestReport({ wait }: { wait: FirstRequestWait }) {
  const { state, hasEnded, restart } = wait;
  const arrival = state?.isNew ? state.arrival : null;
  return (
    <div className="flex items-start gap-3 rounded-md border border-line bg-sunk px-4 py-3 text-sm">
      <Mark kind={arrival?.kind ?? null} />
      <div className="grid min-w-0 flex-1 gap-1">
        <div role="status" className="grid gap-1">
          <p className="font-medium">{describeState(state)}</p>
          {arrival && <Details arrival={arrival} />}
        </div>
        {arrival === null && (
          <Waiting earlier={state?.arrival ?? null} hasEnded={hasEnded} onRestart={restart} />
        )}
      </div>
    </div>
  );
}

function describeState(state: FirstRequestState | null): string {
  if (state === null || (state.arrival === null && state.isFirst)) {
    return "Waiting for your first request";
  }
  if (!state.isNew) return "Waiting for your next request";
  switch (state.arrival?.kind) {
    case "failed":
      return "A request arrived, and failed";
    case "refused":
      return "A request arrived, and was refused";
    default:
      return state.isFirst ? "Your first request arrived" : "Your request arrived";
  }
}

const marks = { answered: "bg-accent", failed: "bg-warn", refused: "bg-warn" } as const;

function Mark({ kind }: { kind: Arrival["kind"] | null }) {
  if (kind === null) {
    return (
      <span
        aria-hidden="true"
        className="mt-1.5 size-2 shrink-0 animate-pulse rounded-full bg-accent"
      />
    );
  }
  const Icon = kind === "answered" ? Check : X;
  return (
    <span
      aria-hidden="true"
      className={classNames(
        "mt-0.5 grid size-5 shrink-0 place-items-center rounded-full text-on-accent",
        marks[kind],
      )}
    >
      <Icon size={13} strokeWidth={3} />
    </span>
  );
}

interface WaitingProps {
  /** Newest request before the wait. Null: none. */
  earlier: Arrival | null;
  hasEnded: boolean;
  onRestart: () => void;
}

function Waiting({ earlier, hasEnded, onRestart }: WaitingProps) {
  return (
    <>
      {hasEnded ? (
        <p className="flex flex-wrap items-center gap-3 text-quiet">
          No request arrived within an hour.
          <Button onClick={onRestart}>Wait again</Button>
        </p>
      ) : (
        <p className="text-quiet">
          Your request appears here within seconds.
          {earlier && (
            <>
              {" "}
              The last one was <RelativeTime at={findTime(earlier)} />.
            </>
          )}
        </p>
      )}
    </>
  );
}

function findTime(arrival: Arrival): string {
  return arrival.kind === "refused" ? arrival.refusal.refused_at : arrival.request.started_at;
}

function Details({ arrival }: { arrival: Arrival }) {
  if (arrival.kind === "refused") return <RefusalDetails refusal={arrival.refusal} />;
  const { request } = arrival;
  return (
    <>
      {arrival.kind === "failed" && (
        <p className="text-quiet">{describeStatus(request).sentence}</p>
      )}
      <RequestFacts request={request} />
      <p>
        <Link
          to="/requests"
          search={{ key: [request.api_key_id], open: request.id }}
          className="link"
        >
          Show request
        </Link>
      </p>
    </>
  );
}

function RequestFacts({ request }: { request: LoggedRequest }) {
  const { model, total_tokens, output_tokens } = request;
  return (
    <dl className="flex flex-wrap gap-x-6 gap-y-1">
      <Fact name="Model">{model}</Fact>
      <Fact name="Input tokens">
        <Tokens count={total_tokens - output_tokens} />
      </Fact>
      <Fact name="Output tokens">
        <Tokens count={output_tokens} />
      </Fact>
      <Fact name="Cost">
        {isSimulated(request) && <SimulatedMark />} <Money usd={addAdjustment(request)} />
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-quiet">{name}</dt>
      <dd className="break-words">{children}</dd>
    </div>
  );
}

function RefusalDetails({ refusal }: { refusal: Refusal }) {
  const may = useMay();
  const { reason, remedy, needsHelp, limit } = explainRefusal(refusal);
  return (
    <>
      <p>
        {reason} {remedy}
      </p>
      <p className="flex flex-wrap gap-x-4 gap-y-1 text-quiet">
        <code>{refusal.error_code}</code>
        {/* A request names a limit with spend of its own. */}
        {limit && limit.scope.type !== "group_member" && may("spend_limits:request") && (
          <IncreaseLink scope={limit.scope} period={limit.period} />
        )}
      </p>
      {needsHelp && <PeopleToAsk />}
    </>
  );
}

const MAX_PEOPLE = 3;

/** Names of people who can change what refused the request. */
function PeopleToAsk() {
  const { member } = useSession();
  const options = usePersonalKeyOptions();
  const people = (options.data?.contacts ?? []).filter(({ email }) => email !== member.email);
  if (people.length === 0) return null;
  return (
    <p className="flex flex-wrap gap-x-2 text-quiet">
      People to ask:
      {people.slice(0, MAX_PEOPLE).map(({ name, email }) => (
        <a key={email} href={`mailto:${email}`} className="link">
          {name}
        </a>
      ))}
    </p>
  );
}
