import { Link } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { formatCount, formatIsoDay, formatPlural } from "../../ui/format.ts";
import { Facts, Page, Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import { BackupSection } from "./backup-section.tsx";
import { HeldWholeSection } from "./held-whole.tsx";
import { makeNodeColumns } from "./node-columns.tsx";
import { type Answer, useSystem } from "./queries.ts";
import { TestMail } from "./test-mail.tsx";
import { UpstreamSection } from "./upstream-section.tsx";
import { formatBytes, formatWait } from "./words.ts";

type System = Answer;

/** State of the system, which refreshes automatically. */
export function SystemPage() {
  const system = useSystem();
  if (system.error && !system.data) {
    return <LoadError error={system.error} onRetry={() => void system.refetch()} />;
  }
  return (
    <Page
      title="System"
      guide="nodes"
      lead="Current state of the installation. The page refreshes every few seconds."
    >
      {system.data ? <Loaded system={system.data} /> : <SkeletonRows />}
    </Page>
  );
}

function Loaded({ system }: { system: System }) {
  const columns = useMemo(makeNodeColumns, []);
  return (
    <div className="grid gap-12">
      <Warnings warnings={system.warnings} />
      <Section title="Versions">
        <Facts
          items={[
            ["Bursar", system.version],
            ["Node.js", `${system.node_version} on ${system.platform}`],
            ["PostgreSQL", system.database.version],
            ["Schema", system.database.migration],
            ["Price list", <PriceList key="prices" prices={system.price_list} />],
          ]}
        />
      </Section>
      <Section
        title="Nodes"
        lead="Processes of this installation. A silent node has stopped, or cannot reach the database. Another node completes its records."
      >
        <Table
          label="Nodes"
          columns={columns}
          rows={system.nodes}
          rowKey={({ id }) => id}
          isDimmed={({ is_silent }) => is_silent}
        />
        <ThisNode node={system.this_node} />
      </Section>
      <UpstreamSection />
      <HeldWholeSection />
      <DatabaseSection database={system.database} />
      <QueueSection queue={system.job_queue} hasMailServer={system.mail.is_configured} />
      <MailSection mail={system.mail} />
      <Section title="Claude and the audit log">
        <Facts
          items={[
            ["Upstream", <UpstreamState key="upstream" upstream={system.upstream} />],
            ["Audit log", <AuditState key="audit" log={system.audit_log} />],
          ]}
        />
      </Section>
      <BackupSection backup={system.backup} isEmbedded={system.database.is_embedded} />
    </div>
  );
}

function Warnings({ warnings }: { warnings: readonly string[] }) {
  if (warnings.length === 0) return null;
  return (
    <div role="status" className="rounded-md bg-warn-wash px-4 py-3 text-sm text-warn">
      <p className="font-semibold">{formatPlural(warnings.length, "warning")}</p>
      <ul className="mt-1 grid gap-1">
        {warnings.map((warning) => (
          <li key={warning}>
            {/* Every second part is a command. */}
            {warning
              .split("`")
              .map((part, index) => (index % 2 === 0 ? part : <code key={part}>{part}</code>))}
          </li>
        ))}
      </ul>
    </div>
  );
}

function PriceList({ prices }: { prices: System["price_list"] }) {
  return (
    <>
      As published on {formatIsoDay(prices.as_of)}
      {prices.overrides > 0 && `, with ${formatPlural(prices.overrides, "custom price")}`}.{" "}
      <Link to="/model-prices" className="link">
        Model prices
      </Link>
    </>
  );
}

/** Facts of the node that responded. */
function ThisNode({ node }: { node: System["this_node"] }) {
  const late =
    node.unflushed_records > 0 ? `, the oldest ${formatWait(node.oldest_unflushed_ms)} old` : "";
  return (
    <Facts
      items={[
        [
          "Current node",
          <span key="node">
            <code>{node.id}</code>
          </span>,
        ],
        ["Running requests", formatCount(node.requests_in_flight)],
        [
          "Journal",
          <State key="journal" isGood={node.is_journal_healthy} bad="Not writable">
            {node.journal === "disk" ? "On disk" : "In the database"}
            {node.journal === "disk" &&
              (node.journal_sync === "group"
                ? ", synced before each request"
                : ", synced every 50 ms")}
          </State>,
        ],
        ["Unflushed records", `${formatPlural(node.unflushed_records, "record")}${late}`],
        ["Lease lifetime", formatWait(node.lease_ttl_seconds * 1000)],
      ]}
    />
  );
}

function State(props: { isGood: boolean; bad: string; children: ReactNode }) {
  const { isGood, bad, children } = props;
  return (
    <>
      {children} {!isGood && <Badge tone="bad">{bad}</Badge>}
    </>
  );
}

function DatabaseSection({ database }: { database: System["database"] }) {
  const off = database.settings.filter(({ value }) => value === "off");
  return (
    <Section title="Database">
      <Facts
        items={[
          ["Kind", database.is_embedded ? "Embedded PostgreSQL" : "Your PostgreSQL (DATABASE_URL)"],
          ["Size", formatBytes(database.size_bytes)],
          [
            "Connections",
            `${formatCount(database.connections)} of ${formatCount(database.max_connections)}`,
          ],
          [
            "Crash-safe",
            off.length === 0 ? (
              <Badge key="durable" tone="good">
                Yes
              </Badge>
            ) : (
              <span key="durable">
                <Badge tone="bad">No</Badge> {off.map(({ name }) => name).join(" and ")}{" "}
                {off.length === 1 ? "is" : "are"} off
              </span>
            ),
          ],
          [
            "Settings",
            <span key="settings" className="flex flex-wrap gap-x-4">
              {database.settings.map(({ name, value }) => (
                <code key={name}>
                  {name} = {value}
                </code>
              ))}
            </span>,
          ],
        ]}
      />
    </Section>
  );
}

interface QueueProps {
  queue: System["job_queue"];
  hasMailServer: boolean;
}

function QueueSection({ queue, hasMailServer }: QueueProps) {
  return (
    <Section
      title="Jobs"
      lead={`E-mail, reminders and maintenance. Each node can run jobs. A failed job is retried with growing delay.${hasMailServer ? "" : " Messages are also queued here until a mail server is configured."}`}
    >
      <Facts
        items={[
          ["Waiting", formatCount(queue.waiting)],
          ["Running", formatCount(queue.running)],
          [
            "Failing",
            queue.failing === 0 ? (
              "None"
            ) : (
              <Badge key="failing" tone="warn">
                {formatCount(queue.failing)}
              </Badge>
            ),
          ],
          [
            "Failed",
            queue.given_up === 0 ? (
              "None"
            ) : (
              <Badge key="given" tone="bad">
                {formatCount(queue.given_up)}
              </Badge>
            ),
          ],
          [
            "Longest wait",
            queue.oldest_due_at === null ? (
              "None overdue"
            ) : (
              <span key="late">
                Due <RelativeTime at={queue.oldest_due_at} />
              </span>
            ),
          ],
          ...(queue.last_error ? ([["Last error", queue.last_error]] as const) : []),
        ]}
      />
    </Section>
  );
}

function MailSection({ mail }: { mail: System["mail"] }) {
  const may = useMay();
  return (
    <Section
      title="Mail"
      lead={
        mail.is_configured
          ? undefined
          : "No mail server is configured. Messages are queued and not sent. Set SMTP_URL and BURSAR_MAIL_FROM, and restart the server."
      }
    >
      <Facts
        items={[
          [
            "Mail server",
            <Badge key="server" tone={mail.is_configured ? "good" : "warn"}>
              {mail.is_configured ? "Configured" : "Not configured"}
            </Badge>,
          ],
          ...(mail.from ? ([["Sender", mail.from]] as const) : []),
          [
            "Messages",
            <span key="messages">
              {formatCount(mail.queued)} waiting, {formatCount(mail.failed)} failed.{" "}
              <Link to="/mail" className="link">
                Mail
              </Link>
            </span>,
          ],
        ]}
      />
      {mail.is_configured && may("organization:write") && <TestMail />}
    </Section>
  );
}

function UpstreamState({ upstream }: { upstream: System["upstream"] }) {
  const may = useMay();
  const sources = {
    environment: "from the environment",
    stored: "stored in Bursar",
    simulator: "",
  };
  return (
    <>
      {upstream.problem ? (
        <>
          <Badge tone="bad">Not usable</Badge> {upstream.problem}
        </>
      ) : upstream.source === "simulator" ? (
        "Built-in simulator. No request is sent to the Claude API."
      ) : (
        <>
          <code>{upstream.origin}</code>, {upstream.source && sources[upstream.source]}.
        </>
      )}{" "}
      {may("upstreams:read") && (
        <Link to="/upstreams" className="link">
          Upstreams
        </Link>
      )}
    </>
  );
}

function AuditState({ log }: { log: System["audit_log"] }) {
  return (
    <>
      {log.is_intact === null ? (
        "Not verified yet by this node."
      ) : log.is_intact ? (
        <>
          <Badge tone="good">Intact</Badge> up to event {formatCount(log.verified_through_seq ?? 0)}
          , verified <RelativeTime at={log.checked_at} />.
        </>
      ) : (
        <Badge tone="bad">The log was changed</Badge>
      )}{" "}
      <Link to="/audit-log" className="link">
        Audit log
      </Link>
    </>
  );
}
