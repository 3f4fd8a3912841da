import { Link, useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { useSetterNames } from "../../kit/members/setter-names.ts";
import { SimulatedSpend } from "../../kit/usage/simulated-spend.tsx";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button, ButtonLink } from "../../ui/button.tsx";
import { formatDaysIn, formatTime, formatUsd } from "../../ui/format.ts";
import { BackLink, Facts, Page, Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SpendBar } from "../../ui/spend-bar.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { AcknowledgeDialog } from "./acknowledge-dialog.tsx";
import { deliveryTones } from "./delivery-states.tsx";
import { MuteDialog } from "./mute-dialog.tsx";
import { type Firing, useFiring } from "./queries.ts";
import { isMuted, kindWords } from "./words.ts";

/** One firing, the target of links in alert messages. */
export function FiringPage() {
  const { firingId } = useParams({ strict: false }) as { firingId: string };
  const firing = useFiring(firingId);
  const may = useMay();
  const nameOf = useSetterNames();
  const [isAcknowledging, setIsAcknowledging] = useState(false);
  const [isMuting, setIsMuting] = useState(false);
  if (firing.error) return <LoadError error={firing.error} onRetry={() => void firing.refetch()} />;
  const { data } = firing;
  if (!data) {
    return (
      <Page title="Alert">
        <SkeletonRows rows={5} />
      </Page>
    );
  }
  const mayAcknowledge = may("alerts:write", data.workspace_id ?? undefined);
  return (
    <Page
      title={formatDaysIn(data.title)}
      guide="alerts"
      above={<BackLink to="/alerts">Alerts</BackLink>}
      lead={formatDaysIn(data.next)}
      actions={
        <>
          <RefusalsLink firing={data} />
          <ScopeLink firing={data} />
          {mayAcknowledge && !data.alert.is_deleted && (
            <Button onClick={() => setIsMuting(true)}>Mute rule…</Button>
          )}
          {mayAcknowledge && (
            <Button
              kind={data.acknowledged_at ? "plain" : "primary"}
              onClick={() => setIsAcknowledging(true)}
            >
              {data.acknowledged_at ? "Change note…" : "Acknowledge…"}
            </Button>
          )}
        </>
      }
    >
      <div className="grid max-w-2xl gap-10">
        <Facts items={listFacts(data, nameOf(data.acknowledged_by))} />
        <SpendSection firing={data} />
        <Section title="Notifications">
          {data.deliveries.length === 0 ? (
            <p className="text-sm text-quiet">{describeMissingMessage(data)}</p>
          ) : (
            <ul className="divide-y divide-line border-y border-line text-sm">
              {data.deliveries.map((delivery) => (
                <li
                  key={delivery.channel_id ?? "owner"}
                  className="flex items-center justify-between gap-4 py-2.5"
                >
                  <span>{delivery.channel_name ?? "Key owner"}</span>
                  <Badge tone={deliveryTones[delivery.status]}>{delivery.status}</Badge>
                </li>
              ))}
            </ul>
          )}
        </Section>
      </div>
      {isMuting && (
        <MuteDialog
          rules={[data.alert]}
          periodEndsAt={data.facts.period_ends_at}
          onClose={() => setIsMuting(false)}
        />
      )}
      <AcknowledgeDialog
        firing={isAcknowledging ? data : null}
        onClose={() => setIsAcknowledging(false)}
      />
    </Page>
  );
}

function describeMissingMessage({ covered_by_id, is_muted }: Firing): ReactNode {
  if (covered_by_id !== null) {
    const params = { firingId: covered_by_id };
    return (
      <>
        A higher threshold was reached at the same time.{" "}
        <Link to="/alerts/firings/$firingId" params={params} className="link">
          The message of that threshold
        </Link>{" "}
        includes this one.
      </>
    );
  }
  return is_muted
    ? "No message was sent: the alert was muted."
    : "No message was sent: the alert has no channel.";
}

function RefusalsLink({ firing: { kind, scope } }: { firing: Firing }) {
  if (kind !== "refused_requests") return null;
  const search = {
    refused: true as const,
    ...(scope.type === "workspace" && { workspace: [scope.workspace_id] }),
    ...(scope.type === "api_key" && { key: [scope.api_key_id] }),
  };
  return (
    <ButtonLink to="/requests" search={search}>
      View refused requests
    </ButtonLink>
  );
}

function ScopeLink({ firing: { scope, facts } }: { firing: Firing }) {
  switch (scope.type) {
    case "organization":
    case "member":
    case "group":
    case "tag":
    case "group_member":
      return facts.spend_limit_id ? (
        <ButtonLink
          to="/spend-limits/$spendLimitId"
          params={{ spendLimitId: facts.spend_limit_id } as never}
        >
          Open limit
        </ButtonLink>
      ) : (
        <ButtonLink to="/spend-limits">Open limits</ButtonLink>
      );
    case "workspace":
      return (
        <ButtonLink
          to="/workspaces/$workspaceId/limits"
          params={{ workspaceId: scope.workspace_id } as never}
        >
          Open workspace
        </ButtonLink>
      );
    case "api_key":
      return (
        <ButtonLink to="/api-keys/$keyId" params={{ keyId: scope.api_key_id } as never}>
          Open key
        </ButtonLink>
      );
  }
}

function SpendSection({ firing: { scope, facts } }: { firing: Firing }) {
  const { spent_usd, limit_usd } = facts;
  if (!spent_usd || !limit_usd) return null;
  return (
    <Section title="Spend at the time">
      <SpendBar
        spentUsd={spent_usd}
        heldUsd={facts.held_usd ?? "0"}
        unresolvedUsd={facts.unresolved_usd ?? "0"}
        limitUsd={limit_usd}
        isExplained
      />
      <SimulatedSpend
        scope={scope}
        startingAt={facts.period_starts_at}
        endingAt={facts.period_ends_at}
      />
    </Section>
  );
}

const causeWords = {
  node_paused: "ran while its node was paused",
  billed_after_cut: "can have been billed after its cut",
  beyond_bound: "faster or larger than its bound",
  above_hold: "cost more than its hold",
  settled_late: "settled after others had used its budget",
  charged: "cost set by an administrator",
} as const;

/** Requests of an overrun, as links to the request log. */
function listOverrunRequests({ facts: { overrun_requests: requests } }: Firing): Fact[] {
  if (!requests?.length) return [];
  return [
    [
      "Requests",
      <ul key="requests" className="grid gap-1">
        {requests.map(({ id, cost_usd, held_usd, cause }) => (
          <li key={id}>
            <Link to="/requests" search={{ open: id }} className="link">
              <code className="break-all">{id}</code>
            </Link>
            <span className="block text-quiet">
              ${cost_usd}
              {held_usd !== null && `, $${held_usd} held`}: {causeWords[cause]}
            </span>
          </li>
        ))}
      </ul>,
    ],
  ];
}

type Fact = readonly [name: string, value: ReactNode];

/** `by`: name of the member who acknowledged it. Null: unknown. */
function listFacts(firing: Firing, by: string | null): Fact[] {
  const { facts, alert } = firing;
  const money = (name: string, text: string | null | undefined): Fact[] =>
    text
      ? [
          [
            name,
            <span key={name} className="figures">
              {formatUsd(text)}
            </span>,
          ],
        ]
      : [];
  const time = (name: string, at: string | null | undefined): Fact[] =>
    at ? [[name, <RelativeTime key={name} at={at} />]] : [];
  const count = (name: string, value: number | null | undefined): Fact[] =>
    value == null ? [] : [[name, value.toLocaleString("en-US")]];
  return [
    ["Scope", firing.scope_name],
    ["Fired", <RelativeTime key="fired" at={firing.fired_at} />],
    [
      "Rule",
      <span key="rule" className="inline-flex flex-wrap items-center gap-2">
        {alert.is_deleted ? (
          alert.name
        ) : (
          <Link to="/alerts/rules" hash={alert.id} className="link">
            {alert.name}
          </Link>
        )}
        {alert.name !== kindWords[firing.kind].label && (
          <Badge>{kindWords[firing.kind].label}</Badge>
        )}
        <span className="text-quiet">{firing.threshold}</span>
        {alert.muted_until !== null && isMuted(alert) && (
          <Badge tone="warn">muted until {formatTime(alert.muted_until)}</Badge>
        )}
      </span>,
    ],
    ...money("Beyond the limit", facts.overrun_usd),
    ...listOverrunRequests(firing),
    ...money("Forecast for the period", facts.forecast_usd),
    ...time("Limit reached", facts.reached_at),
    ...money("Usual spend", facts.usual_usd),
    ...(facts.limit_usd ? [] : money("Spent", facts.spent_usd)),
    ...time("Period ends", facts.period_ends_at),
    ...count("Requests", facts.requests),
    ...count("Failed or refused", facts.failed_requests),
    ...(facts.top_error_code
      ? [["Most frequent cause", <code key="cause">{facts.top_error_code}</code>] as Fact]
      : []),
    ...time("Key expires", facts.expires_at),
    ...time("Last used", facts.last_used_at),
    ...(facts.address_range
      ? [["Network", <code key="network">{facts.address_range}</code>] as const]
      : []),
    [
      "Acknowledged",
      firing.acknowledged_at ? (
        <span key="acknowledged">
          <RelativeTime at={firing.acknowledged_at} />
          {by !== null && <span className="text-quiet"> by {by}</span>}
          {firing.note && <span className="block">{firing.note}</span>}
        </span>
      ) : (
        "No"
      ),
    ],
  ];
}
