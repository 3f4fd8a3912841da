import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { HolderCell, LastUsed, ScopeCell } from "../../kit/access/cells.tsx";
import {
  formatAccessScope,
  formatAccessSource,
  formatGranter,
  formatHolder,
  pathWords,
} from "../../kit/access/words.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { classNames } from "../../ui/class-names.ts";
import { formatDay } from "../../ui/format.ts";
import { Input } from "../../ui/input.tsx";
import type { AssignedItem } from "./queries.ts";
import { Recommendation } from "./recommendation.tsx";
import type { LocalDecision, NewDecision } from "./use-decisions.ts";
import { type Decision, decisions, decisionWords } from "./words.ts";

const MAX_REASON = 500;

/** Item with the member's newest decision. */
export interface Entry {
  item: AssignedItem;
  local: LocalDecision | undefined;
  decision: Decision | null;
  reason: string | null;
  /** Decision of another reviewer. A change needs a confirmation. */
  other: { name: string; decision: Decision } | null;
}

interface RowProps {
  entry: Entry;
  beganAt: string;
  isCurrent: boolean;
  /** The field for the reason is open. */
  isReasonOpen: boolean;
  /** Requested decision that differs from another reviewer's. */
  requestedDecision: Decision | null;
  onFocus: () => void;
  onDecide: (decision: Decision) => void;
  onConfirm: (newDecision: NewDecision) => void;
  onToggleReason: (isOn: boolean) => void;
}

export const rowId = (item: AssignedItem) => `entry-${item.id}`;

export function DecideRow(props: RowProps) {
  const { entry, beganAt, isCurrent, isReasonOpen, onFocus, onDecide, onConfirm, onToggleReason } =
    props;
  const { item, decision } = entry;
  const granter = formatGranter(item);
  return (
    <li
      id={rowId(item)}
      tabIndex={-1}
      aria-current={isCurrent}
      aria-label={`${formatHolder(item)}, ${formatAccessScope(item)}, ${formatAccessSource(item)}`}
      onFocus={onFocus}
      className={classNames(
        "scroll-my-24 border-l-3 py-3 pr-1 pl-3 focus-visible:outline-offset-[-2px]",
        isCurrent ? "border-l-accent bg-sunk/60" : "border-l-transparent",
      )}
    >
      <div className="grid gap-x-6 gap-y-2.5 text-sm sm:grid-cols-2 lg:grid-cols-[minmax(0,1fr)_minmax(0,1.2fr)_minmax(0,1fr)_auto] lg:items-center">
        <span className="grid gap-1">
          <HolderCell access={item} />
          {item.is_own && (
            <span>
              <Badge tone="warn">your own access</Badge>
            </span>
          )}
        </span>
        <span className="grid gap-0.5 max-sm:**:whitespace-normal">
          <ScopeCell access={item} />
          <span className="truncate text-xs text-quiet">
            Granted {granter && `by ${granter}, `}
            {formatDay(item.granted_at)}
          </span>
        </span>
        <span className="grid gap-0.5">
          <Recommendation item={item} beganAt={beganAt} />
          <span className="text-xs text-quiet">
            Last used: <LastUsed access={item} />
          </span>
        </span>
        <DecisionButtons entry={entry} onDecide={onDecide} />
      </div>
      <GroupNote entry={entry} />
      <Notes {...props} />
      {isReasonOpen && decision && (
        <ReasonForm
          reason={entry.reason ?? ""}
          onSave={(reason) => {
            onConfirm({ decision, reason, isOverride: false });
            onToggleReason(false);
          }}
          onClose={() => onToggleReason(false)}
        />
      )}
    </li>
  );
}

function DecisionButtons({ entry, onDecide }: Pick<RowProps, "entry" | "onDecide">) {
  const { item, decision } = entry;
  return (
    <fieldset className="inline-flex w-fit rounded-md border border-edge/55 bg-raised p-0.5">
      <legend className="sr-only">Decision about {formatHolder(item)}</legend>
      {decisions.map((each) => (
        <button
          key={each}
          type="button"
          disabled={item.needs_another_reviewer}
          aria-pressed={decision === each}
          aria-keyshortcuts={decisionWords[each].key}
          title={each === "remove" ? `Removal ${pathWords[item.path].removal}` : undefined}
          onClick={() => onDecide(each)}
          className={classNames(
            "min-h-7.5 rounded-[0.25rem] px-2.5 text-sm whitespace-nowrap text-quiet transition-colors hover:text-ink aria-pressed:font-medium disabled:opacity-55 pointer-coarse:min-h-10",
            each === "remove" && "aria-pressed:bg-bad-wash aria-pressed:text-bad",
            each === "keep" && "aria-pressed:bg-good-wash aria-pressed:text-good",
            each === "not_sure" && "aria-pressed:bg-warn-wash aria-pressed:text-warn",
          )}
        >
          {decisionWords[each].label}
        </button>
      ))}
    </fieldset>
  );
}

/** Changes that end a role of a group, beside a decision to remove it. */
function GroupNote({ entry: { item, decision } }: Pick<RowProps, "entry">) {
  if (item.group === null || decision !== "remove") return null;
  return (
    <p className="pt-2 text-sm text-warn">
      The review cannot remove this role. Remove {formatHolder(item)} from the group{" "}
      <Link to="/groups/$groupId" params={{ groupId: item.group.id }} className="link">
        {item.group.name}
      </Link>
      , or change the role of the group in {formatAccessScope(item)}.
    </p>
  );
}

/** Notes below the entry: the responsible reviewer, an error, or the reason. */
function Notes({ entry, requestedDecision, isReasonOpen, onConfirm, onToggleReason }: RowProps) {
  const { item, local, decision, reason, other } = entry;
  if (item.needs_another_reviewer) {
    return <p className="pt-2 text-sm text-quiet">Another reviewer decides on your own access.</p>;
  }
  const wanted =
    requestedDecision ?? (local?.outcome === "already_decided" ? local.decision : null);
  if (wanted) {
    return (
      <div role="alert" className="flex flex-wrap items-center gap-x-3 gap-y-2 pt-2 text-sm">
        <span className="text-warn">
          {other
            ? `${other.name} decided “${decisionWords[other.decision].label}”.`
            : "Another reviewer has decided differently."}
        </span>
        <Button onClick={() => onConfirm({ decision: wanted, reason: null, isOverride: true })}>
          Decide “{decisionWords[wanted].label}” instead
        </Button>
      </div>
    );
  }
  if (local?.state === "refused") {
    return (
      <p role="alert" className="pt-2 text-sm text-bad">
        {local.message}
      </p>
    );
  }
  if (!decision || isReasonOpen) return null;
  return (
    <p className="flex flex-wrap items-center gap-x-2 pt-1.5 text-sm text-quiet">
      {other && <span>Decided by {other.name}.</span>}
      {item.is_own && <span>This decision is marked as a self-review.</span>}
      {reason && <span className="min-w-0 break-words">“{reason}”</span>}
      {!other && (
        <button type="button" className="link target" onClick={() => onToggleReason(true)}>
          {reason ? "Change reason" : "Add reason"}
        </button>
      )}
    </p>
  );
}

function ReasonForm(props: {
  reason: string;
  onSave: (reason: string | null) => void;
  onClose: () => void;
}) {
  const [text, setText] = useState(props.reason);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => box.current?.focus(), []);
  return (
    <form
      className="flex flex-wrap gap-2.5 pt-2.5"
      onSubmit={(event) => {
        event.preventDefault();
        props.onSave(text.trim() === "" ? null : text.trim());
      }}
    >
      <Input
        ref={box}
        aria-label="Reason"
        placeholder="Left the team in May"
        maxLength={MAX_REASON}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          props.onClose();
        }}
        className="max-w-md flex-1 basis-60"
      />
      <Button type="submit">Save reason</Button>
    </form>
  );
}
