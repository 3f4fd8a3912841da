import { Link } from "@tanstack/react-router";
import { SimulatedPart } from "../../kit/usage/simulated.tsx";
import { useMay } from "../../session.ts";
import { Tokens } from "../../ui/amounts.tsx";
import { Badge } from "../../ui/badge.tsx";
import { ButtonLink } from "../../ui/button.tsx";
import { CopyIconButton } from "../../ui/copy-button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { formatCount, formatPlural, toNanoUsd } from "../../ui/format.ts";
import { Facts } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { ErrorState, SkeletonRows } from "../../ui/states.tsx";
import {
  type Agent,
  type AgentSessionDetail,
  formatOwner,
  type SessionKey,
  useAgentSession,
} from "./agent-sessions.ts";
import { orderAgents } from "./order-agents.ts";

interface DrawerProps {
  /** Null: closed. */
  session: SessionKey | null;
  onClose: () => void;
}

/** One session with its prompts, and the agents of each prompt. */
export function AgentSessionDrawer({ session, onClose }: DrawerProps) {
  return (
    <Dialog
      title="Agent session"
      description={
        session && (
          <span className="inline-flex max-w-full items-center gap-1">
            <code className="min-w-0 break-all">{session.id}</code>
            <CopyIconButton text={session.id} what="agent session" />
            <Badge>claimed</Badge>
          </span>
        )
      }
      isOpen={session !== null}
      onClose={onClose}
      isDrawer
    >
      {session && <Loaded session={session} />}
    </Dialog>
  );
}

function Loaded({ session }: { session: SessionKey }) {
  const found = useAgentSession(session);
  if (found.error) {
    return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  }
  if (!found.data) return <SkeletonRows />;
  const { data } = found;
  const { other_owners: others } = data;
  return (
    <>
      <SessionFacts session={data} />
      {others.length > 0 && (
        <p className="text-sm text-warn">
          {formatPlural(others.length, "other owner")} sent the same id. Their requests are not in
          this session.
        </p>
      )}
      <UsedTable title="Models" rows={data.models.map((row) => [row.model, row] as const)} />
      <UsedTable
        title="Classes"
        isClaimed
        rows={data.classes.map((row) => [row.request_class ?? "None", row] as const)}
      />
      <Prompts session={data} />
      <div className="flex flex-wrap gap-2.5">
        <ButtonLink to="/requests" search={{ session: data.id }}>
          All requests of this session
        </ButtonLink>
      </div>
    </>
  );
}

function SessionFacts({ session }: { session: AgentSessionDetail }) {
  const may = useMay();
  const { member_id, requests, total_tokens } = session;
  const owner = formatOwner(session);
  return (
    <Facts
      items={[
        [
          member_id === null ? "Key" : "Member",
          member_id !== null && may("members:read") ? (
            <Link
              key="member"
              to="/members/$memberId"
              params={{ memberId: member_id }}
              className="link"
            >
              {owner}
            </Link>
          ) : (
            owner
          ),
        ],
        ["Cost", <Exact key="cost" used={session} />],
        ["Requests", formatCount(requests)],
        ["Tokens", <Tokens key="tokens" count={total_tokens} />],
        ["First request", <RelativeTime key="first" at={session.first_request_at} />],
        ["Last request", <RelativeTime key="last" at={session.last_request_at} />],
      ]}
    />
  );
}

function Exact({
  used: { cost_usd, simulated_cost_usd },
}: {
  used: Pick<Used, "cost_usd" | "simulated_cost_usd">;
}) {
  return (
    <>
      <span className="figures">${cost_usd}</span>{" "}
      <SimulatedPart partNano={toNanoUsd(simulated_cost_usd)} sumNano={toNanoUsd(cost_usd)} />
    </>
  );
}

interface Used {
  requests: number;
  total_tokens: number;
  cost_usd: string;
  simulated_cost_usd: string;
}

interface UsedTableProps {
  title: string;
  isClaimed?: boolean;
  rows: readonly (readonly [name: string, used: Used])[];
}

function UsedTable({ title, isClaimed = false, rows }: UsedTableProps) {
  return (
    <section className="grid gap-2">
      <h3 className="flex items-center gap-2">
        {title} {isClaimed && <Badge>claimed</Badge>}
      </h3>
      <ul className="grid gap-1 text-sm">
        {rows.map(([name, used]) => (
          <Line key={name} name={name} used={used} />
        ))}
      </ul>
    </section>
  );
}

function Line({ name, used }: { name: string; used: Used }) {
  return (
    <li className="flex flex-wrap items-baseline gap-x-3">
      <span className="min-w-0 grow break-all">{name}</span>
      <Amounts used={used} />
    </li>
  );
}

function Amounts({ used }: { used: Used }) {
  return (
    <span className="ml-auto flex flex-wrap justify-end gap-x-3 whitespace-nowrap text-quiet">
      <span>{formatPlural(used.requests, "request")}</span>
      <span>
        <Tokens count={used.total_tokens} /> {used.total_tokens === 1 ? "token" : "tokens"}
      </span>
      <span className="min-w-20 text-right text-ink">
        <Exact used={used} />
      </span>
    </span>
  );
}

function Prompts({ session }: { session: AgentSessionDetail }) {
  return (
    <section className="grid gap-2">
      <h3 className="flex items-center gap-2">
        Prompts <Badge>claimed</Badge>
      </h3>
      <p className="text-sm text-quiet">Each prompt includes its subagents.</p>
      <ul className="grid gap-3 text-sm">
        {session.prompts.map((prompt) => (
          <li key={prompt.prompt_id ?? ""} className="grid gap-1">
            <span className="flex flex-wrap items-baseline gap-x-3">
              <span className="min-w-0 grow break-all font-medium">
                {prompt.prompt_id ?? "No prompt"}{" "}
                <span className="font-normal text-quiet">
                  <RelativeTime at={prompt.first_request_at} />
                </span>
              </span>
              <Amounts used={prompt} />
            </span>
            <Agents agents={prompt.agents} />
          </li>
        ))}
      </ul>
      {session.has_more_prompts && (
        <p className="text-sm text-quiet">
          The session has more prompts or agents than are listed.
        </p>
      )}
    </section>
  );
}

const INDENT_REM = 1.25;

/** Agents of a prompt as a tree. */
function Agents({ agents }: { agents: readonly Agent[] }) {
  if (agents.length === 1 && agents[0]?.agent_id === null) return null;
  return (
    <ul className="grid gap-1">
      {orderAgents(agents).map(({ agent, depth }) => (
        <li
          key={agent.agent_id ?? ""}
          className="flex flex-wrap items-baseline gap-x-3"
          style={{ paddingLeft: `${depth * INDENT_REM}rem` }}
        >
          <span className="min-w-0 grow break-all">
            {agent.agent_id ?? "Main agent"}{" "}
            <span className="text-quiet">{agent.request_classes.join(", ")}</span>
          </span>
          <Amounts used={agent} />
        </li>
      ))}
    </ul>
  );
}
