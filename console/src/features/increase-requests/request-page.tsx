import { useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { ConfirmChange } from "../../kit/confirm-change.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { periodWords } from "../../kit/spend-limits/words.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { formatUsd } from "../../ui/format.ts";
import { BackLink, Facts, Page, Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SpendBar } from "../../ui/spend-bar.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { ApproveDialog, DenyDialog } from "./decide-dialogs.tsx";
import { type IncreaseRequest, useIncreaseRequest, useWithdrawIncreaseRequest } from "./queries.ts";
import { describeScope, formatActor, statusTones } from "./words.ts";

type Open = "approve" | "deny" | "withdraw" | null;

/** One increase request, the target of links in e-mail. */
export function IncreaseRequestPage() {
  const { requestId } = useParams({ strict: false }) as { requestId: string };
  const request = useIncreaseRequest(requestId);
  const [open, setOpen] = useState<Open>(null);
  if (request.error) {
    return <LoadError error={request.error} onRetry={() => void request.refetch()} />;
  }
  const { data } = request;
  if (!data) {
    return (
      <Page title="Increase request">
        <SkeletonRows rows={5} />
      </Page>
    );
  }
  const isPending = data.status === "pending";
  const isOwn = data.is_own;
  const close = () => setOpen(null);
  return (
    <Page
      title={`Increase request for ${describeScope(data)}`}
      above={<BackLink to="/increase-requests">Increase requests</BackLink>}
      lead={`${formatActor(data.requester)} requests ${formatUsd(data.amount_usd)} ${periodWords[data.period]}.`}
      actions={
        <>
          {isPending && isOwn && (
            <Button onClick={() => setOpen("withdraw")}>Withdraw request…</Button>
          )}
          {isPending && data.can_resolve && (
            <>
              <Button onClick={() => setOpen("deny")}>Deny request…</Button>
              <Button kind="primary" onClick={() => setOpen("approve")}>
                Approve request…
              </Button>
            </>
          )}
        </>
      }
    >
      <div className="grid max-w-2xl gap-10">
        {data.limit_usd && data.spent_usd && (
          <Section title="Current limit">
            <SpendBar
              spentUsd={data.spent_usd ?? "0"}
              heldUsd={data.held_usd ?? "0"}
              limitUsd={data.limit_usd}
              isExplained
            />
          </Section>
        )}
        <Facts items={listFacts(data)} />
        {isPending && !data.can_resolve && !isOwn && (
          <p className="text-sm text-quiet">
            Owners, Admins, Billing members and admins of the workspace can decide.
          </p>
        )}
      </div>
      {open === "approve" && <ApproveDialog request={data} onClose={close} />}
      {open === "deny" && <DenyDialog request={data} onClose={close} />}
      {open === "withdraw" && <WithdrawDialog request={data} onClose={close} />}
    </Page>
  );
}

function listFacts(request: IncreaseRequest): (readonly [string, ReactNode])[] {
  const money = (text: string) => <span className="figures">{formatUsd(text)}</span>;
  return [
    [
      "State",
      <Badge key="state" tone={statusTones[request.status]}>
        {request.status}
      </Badge>,
    ],
    ["Requester", formatActor(request.requester)],
    ["Requested", <RelativeTime key="asked" at={request.created_at} />],
    [
      "Reason",
      <span key="reason" className="whitespace-pre-wrap">
        {request.reason}
      </span>,
    ],
    ["Limit at request", money(request.limit_when_asked_usd)],
    ["Requested limit", money(request.amount_usd)],
    ...(request.approved_usd ? [["Approved limit", money(request.approved_usd)] as const] : []),
    ...(request.resolved_at
      ? [
          [
            "Decided",
            <span key="decided">
              <RelativeTime at={request.resolved_at} />
              <span className="text-quiet"> by {formatActor(request.resolved_by)}</span>
            </span>,
          ] as const,
        ]
      : []),
    ...(request.answer
      ? [
          [
            "Answer",
            <span key="answer" className="whitespace-pre-wrap">
              {request.answer}
            </span>,
          ] as const,
        ]
      : []),
  ];
}

function WithdrawDialog({ request, onClose }: { request: IncreaseRequest; onClose: () => void }) {
  const withdraw = useWithdrawIncreaseRequest();
  return (
    <ConfirmChange
      change={withdraw}
      input={{ params: { spend_limit_increase_request_id: request.id } }}
      action="Withdraw request"
      toast="Request withdrawn"
      onClose={onClose}
    >
      <p>The request is closed without a decision. You can send a new request at any time.</p>
    </ConfirmChange>
  );
}
