import { auditEvents } from "virtual:audit-events";
import { type ReactNode, useEffect, useState } from "react";
import { useWorkspaces } from "../../kit/workspaces/queries.ts";
import { WorkspaceLink } from "../../kit/workspaces/workspace-link.tsx";
import { Button } from "../../ui/button.tsx";
import { CopyIconButton } from "../../ui/copy-button.tsx";
import { DayInput } from "../../ui/day-input.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { formatTime } from "../../ui/format.ts";
import { Input, Select } from "../../ui/input.tsx";
import { NarrowFilters } from "../../ui/narrow-filters.tsx";
import { Facts } from "../../ui/page.tsx";
import { compareFields } from "./compare.ts";
import type { AuditEvent } from "./queries.ts";
import { type AuditSearch, toQuery } from "./search.ts";

/** Events without a call of the Admin API. */
const ownEvents = [
  "access.denied",
  "audit_log.keyed",
  "audit_log.pruned",
  "backup.made",
  "database.failed_over",
  "installation.restored",
  "secret.rotated",
  "sign_in.failed",
];
const prefixes = [
  ...new Set([...auditEvents, ...ownEvents].map((event) => `${event.split(".")[0]}.`)),
].sort();

const actorTypes = [
  ["member", "People"],
  ["admin_key", "Admin keys"],
  ["api_key", "API keys"],
  ["local_operator", "Local operator"],
  ["system", "Bursar"],
] as const;

/** Two filters per row on narrow screens. */
const narrow = "max-sm:flex-1 max-sm:basis-[calc(50%-0.4rem)]";

interface FiltersProps {
  search: AuditSearch;
  onChange: (changed: AuditSearch) => void;
  onClear: () => void;
  /** Menus of the table, after the filters. */
  children: ReactNode;
}

export function AuditFilters({ search, onChange, onClear, children }: FiltersProps) {
  const workspaces = useWorkspaces({ withArchived: true });
  const { event, actor_type, workspace, from, to } = search;
  const count = [event, actor_type, workspace, from ?? to].filter(Boolean).length;
  const isExact = search.event !== undefined && !prefixes.includes(search.event);
  return (
    <div className="no-print flex flex-wrap items-center gap-2.5">
      <FindBox value={search.find ?? ""} onFind={(find) => onChange({ find })} />
      <NarrowFilters count={count}>
        <Select
          className={narrow}
          aria-label="Event"
          value={search.event ?? ""}
          onChange={(event) => onChange({ event: event.target.value })}
        >
          <option value="">All events</option>
          {isExact && <option value={search.event}>{search.event}</option>}
          {prefixes.map((prefix) => (
            <option key={prefix} value={prefix}>
              {capitalise(prefix.slice(0, -1).replaceAll("_", " ")).replace("Api ", "API ")}
            </option>
          ))}
        </Select>
        <Select
          className={narrow}
          aria-label="Actor"
          value={search.actor_type ?? ""}
          onChange={(event) => onChange({ actor_type: event.target.value })}
        >
          <option value="">All actors</option>
          {actorTypes.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </Select>
        <Select
          aria-label="Workspace"
          value={search.workspace ?? ""}
          onChange={(event) => onChange({ workspace: event.target.value })}
          className={`${narrow} sm:max-w-56`}
        >
          <option value="">All workspaces</option>
          {workspaces.data?.items.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Select>
        <span className="flex items-center gap-2 text-sm text-quiet max-sm:w-full">
          <DayInput
            label="First day, UTC"
            value={search.from ?? ""}
            max={search.to}
            onDay={(from) => onChange({ from })}
            className="w-34 max-sm:flex-1"
          />
          to
          <DayInput
            label="Last day, UTC"
            value={search.to ?? ""}
            min={search.from}
            onDay={(to) => onChange({ to })}
            className="w-34 max-sm:flex-1"
          />
          UTC
        </span>
      </NarrowFilters>
      {search.actor && (
        <Button kind="plain" onClick={() => onChange({ actor: "" })}>
          Only {search.actor} ✕
        </Button>
      )}
      {Object.keys(toQuery(search)).length > 0 && (
        <Button kind="quiet" onClick={onClear}>
          Clear filters
        </Button>
      )}
      <span className="ml-auto flex flex-wrap gap-1">{children}</span>
    </div>
  );
}

/** Search field that queries on Enter, since only the whole text can match. */
function FindBox({ value, onFind }: { value: string; onFind: (text: string) => void }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  return (
    <form
      className="w-full sm:max-w-72"
      onSubmit={(event) => {
        event.preventDefault();
        onFind(text.trim());
      }}
    >
      <Input
        type="search"
        data-search
        aria-label="Search by id, request or address"
        placeholder="Id, request id or IP address"
        value={text}
        maxLength={100}
        spellCheck={false}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => onFind(text.trim())}
      />
    </form>
  );
}

/** Name of the actor at the time of the event, or its type or id. */
export function ActorName({ event }: { event: AuditEvent }): ReactNode {
  const { actor } = event;
  if (actor.type === "local_operator") return "Local operator";
  if (actor.type === "system") return "Bursar";
  return actor.name ?? actor.email ?? <code>{actor.id}</code>;
}

interface DrawerProps {
  event: AuditEvent | null;
  onClose: () => void;
  onFilter: (changed: AuditSearch) => void;
}

/** One event with its changed fields, actor and hashes. */
export function EventDrawer({ event, onClose, onFilter }: DrawerProps) {
  return (
    <Dialog
      title={event?.event ?? "Event"}
      description={event ? formatTime(event.created_at) : undefined}
      isOpen={event !== null}
      onClose={onClose}
      isDrawer
    >
      {event && (
        <>
          <Changes event={event} />
          <EventFacts event={event} />
          <div className="flex flex-wrap gap-2.5">
            <Button onClick={() => onFilter({ actor: event.actor.id })}>
              All events by this actor
            </Button>
            <Button onClick={() => onFilter({ find: event.subject.id })}>
              All events of this object
            </Button>
            <Button onClick={() => onFilter({ event: event.event })}>
              All events of this type
            </Button>
          </div>
        </>
      )}
    </Dialog>
  );
}

function Changes({ event }: { event: AuditEvent }) {
  const fields = compareFields(event.before, event.after);
  if (fields.length === 0) return <p className="text-sm text-quiet">No fields were changed.</p>;
  const changed = fields.filter(({ isChanged }) => isChanged);
  const same = fields.filter(({ isChanged }) => !isChanged);
  return (
    <section className="grid gap-3">
      <h3>{event.before === null ? "Created" : event.after === null ? "Deleted" : "Changes"}</h3>
      <dl className="divide-y divide-line border-y border-line text-sm">
        {changed.map(({ name, before, after }) => (
          <div key={name} className="grid gap-1 py-2.5">
            <dt className="text-quiet">{name}</dt>
            {before !== undefined && (
              <Value mark="−" what="Before" tone="bg-bad-wash" text={before} />
            )}
            {after !== undefined && (
              <Value mark="+" what="After" tone="bg-good-wash" text={after} />
            )}
          </div>
        ))}
      </dl>
      {same.length > 0 && (
        <details>
          <summary className="target w-fit rounded-sm text-sm font-medium text-accent">
            {same.length} unchanged
          </summary>
          <div className="mt-3">
            <Facts items={same.map(({ name, after }) => [name, after])} />
          </div>
        </details>
      )}
    </section>
  );
}

function Value(props: { mark: string; what: string; tone: string; text: string }) {
  return (
    <dd className={`flex gap-2 rounded-sm px-2 py-1 ${props.tone}`}>
      <span className="sr-only">{props.what}: </span>
      <span aria-hidden="true">{props.mark}</span>
      <span className="min-w-0 break-words whitespace-pre-wrap">{props.text}</span>
    </dd>
  );
}

function EventFacts({ event }: { event: AuditEvent }) {
  const { actor, subject } = event;
  const withCopy = (text: string, what: string) => (
    <span className="inline-flex max-w-full items-center gap-1">
      <code className="min-w-0 break-all">{text}</code>
      <CopyIconButton text={text} what={what} />
    </span>
  );
  return (
    <Facts
      items={[
        [
          "Actor",
          <span key="who" className="grid">
            <span>
              <ActorName event={event} />
              {actor.email && actor.name && ` (${actor.email})`}
            </span>
            {withCopy(actor.id, "actor id")}
          </span>,
        ],
        ["Object", withCopy(subject.id, "object id")],
        ...(event.workspace_id
          ? ([["Workspace", <WorkspaceLink key="workspace" id={event.workspace_id} />]] as const)
          : []),
        ["Address", event.ip_address ?? "Local operator"],
        ["Program", event.user_agent ?? "Unknown"],
        ["Request", withCopy(event.request_id, "request id")],
        ["Log number", `${event.seq}`],
        ["Hash", withCopy(event.hash, "hash")],
        ["Previous hash", withCopy(event.previous_hash, "previous hash")],
      ]}
    />
  );
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
