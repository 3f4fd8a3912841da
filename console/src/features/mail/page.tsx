import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Page } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { MailDrawer } from "./components.tsx";
import { type Mail, useMailList } from "./queries.ts";
import { type MailSearch, mailViews } from "./search.ts";

const tones: Record<Mail["status"], Tone> = {
  queued: "accent",
  sent: "good",
  failed: "bad",
  withdrawn: "plain",
};

/** List of the server's e-mail with its status. */
export function MailPage() {
  const { show = "all" }: MailSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const mail = useMailList(show);
  const [openId, setOpenId] = useState<string | null>(null);
  const columns = useMemo(() => makeColumns(setOpenId), []);
  if (mail.error && mail.items.length === 0) {
    return <LoadError error={mail.error} onRetry={mail.refetch} />;
  }
  return (
    <Page
      title="Mail"
      guide="people"
      lead="Invites, password resets and notices of the server. Messages are stored for 90 days."
    >
      {mail.firstPage && !mail.firstPage.is_mail_server_configured && <NoMailServer />}
      <div key={mail.isPending ? "coming" : "there"} className="grid gap-4">
        <div className={`max-w-full overflow-x-auto ${mail.isPending ? "hidden" : ""}`}>
          <Segments
            label="Filter"
            value={show}
            options={mailViews.map((view) => [view, view.charAt(0).toUpperCase() + view.slice(1)])}
            onChange={(view) =>
              void navigate({ to: "/mail", search: { show: view }, replace: true })
            }
          />
        </div>
        {mail.isPending ? (
          <SkeletonRows />
        ) : mail.items.length === 0 ? (
          <EmptyState title={show === "all" ? "No message yet" : `No ${show} message`}>
            Messages appear here for invites, password resets and account changes.
          </EmptyState>
        ) : (
          <Table label="Messages" columns={columns} rows={mail.items} rowKey={({ id }) => id} />
        )}
        {mail.hasOlder && (
          <Button className="mx-auto" isBusy={mail.isLoadingOlder} onClick={mail.loadOlder}>
            Load older messages
          </Button>
        )}
      </div>
      {openId && <MailDrawer mailId={openId} onClose={() => setOpenId(null)} />}
    </Page>
  );
}

function NoMailServer() {
  return (
    <div role="status" className="rounded-md bg-warn-wash px-4 py-3 text-sm text-warn">
      <p className="font-semibold">
        No mail server is configured. Messages are queued here and not sent.
      </p>
      <p>
        Set <code>SMTP_URL</code> and restart the server to send queued messages. Until then, pass
        on invite links when you create them. The operator of the server can read other links.
      </p>
    </div>
  );
}

function makeColumns(onOpen: (mailId: string) => void): Column<Mail>[] {
  return [
    {
      id: "to",
      header: "To",
      cell: (mail) => <span className="block max-w-60 truncate max-sm:max-w-44">{mail.to}</span>,
    },
    {
      id: "subject",
      header: "Subject",
      from: "xl",
      isBelow: true,
      isSentence: true,
      cell: (mail) => (
        <span className="max-w-[34rem] text-quiet xl:line-clamp-2">{mail.subject}</span>
      ),
    },
    {
      id: "status",
      header: "State",
      cell: (mail) => (
        <span className="grid justify-items-start gap-0.5">
          <Badge tone={tones[mail.status]}>{mail.status}</Badge>
          {mail.last_error && mail.status !== "sent" && (
            <span
              className="max-w-44 truncate text-xs text-bad lg:max-w-72"
              title={mail.last_error}
            >
              {mail.last_error}
            </span>
          )}
        </span>
      ),
    },
    {
      id: "created",
      header: "Created",
      from: "lg",
      isBelow: true,
      isTime: true,
      cell: (mail) => <RelativeTime at={mail.created_at} />,
    },
    {
      id: "actions",
      header: "",
      isNumeric: true,
      cell: (mail) => (
        <Button
          kind="quiet"
          aria-label={`Open message to ${mail.to}`}
          onClick={() => onOpen(mail.id)}
        >
          Open
        </Button>
      ),
    },
  ];
}
