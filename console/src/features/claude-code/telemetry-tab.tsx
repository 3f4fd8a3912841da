import { Ellipsis, Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { useActiveLaptops } from "../../kit/laptops/queries.ts";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Menu, MenuItem, MenuSeparator } from "../../ui/menu.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { showToast } from "../../ui/toast.ts";
import { ReceiverDialog } from "./receiver-dialog.tsx";
import { describeStoppedReceiver } from "./receiver-effects.ts";
import {
  type Receiver,
  type ReceiverTest,
  useDeleteReceiver,
  useReceivers,
  useTestReceiver,
  useUpdateReceiver,
} from "./telemetry-queries.ts";
import { signalWords } from "./telemetry-words.ts";

interface Actions {
  onEdit: (receiver: Receiver) => void;
  onTurnOff: (receiver: Receiver) => void;
  onDelete: (receiver: Receiver) => void;
  onTested: (tested: ReceiverTest) => void;
}

/** Receivers of the telemetry of laptops, with their state. */
export function TelemetryTab() {
  const receivers = useReceivers();
  const mayChange = useMay()("telemetry_receivers:write");
  const [edited, setEdited] = useState<Receiver | "new" | null>(null);
  const [turnedOff, setTurnedOff] = useState<Receiver | null>(null);
  const [deleted, setDeleted] = useState<Receiver | null>(null);
  const [tested, setTested] = useState<ReceiverTest | null>(null);
  const columns = useMemo(() => {
    const actions = {
      onEdit: setEdited,
      onTurnOff: setTurnedOff,
      onDelete: setDeleted,
      onTested: setTested,
    };
    return makeColumns(mayChange ? actions : null);
  }, [mayChange]);
  if (receivers.error) {
    return <LoadError error={receivers.error} onRetry={() => void receivers.refetch()} />;
  }
  if (!receivers.data) return <SkeletonRows rows={3} />;
  const { items } = receivers.data;
  const create = mayChange && (
    <Button kind="primary" data-create onClick={() => setEdited("new")}>
      <Plus size={16} /> Create receiver…
    </Button>
  );
  return (
    <div className="grid gap-4">
      {items.length === 0 ? (
        <EmptyState title="No receiver yet" action={create}>
          A receiver gets the metrics, logs and traces of laptops over OTLP. Without a receiver,
          telemetry is discarded.
        </EmptyState>
      ) : (
        <>
          {create && <div className="flex justify-end">{create}</div>}
          <Table
            label="Receivers"
            columns={columns}
            rows={items}
            rowKey={({ id }) => id}
            isDimmed={({ state }) => state === "off"}
          />
        </>
      )}
      {edited && (
        <ReceiverDialog
          receiver={edited === "new" ? null : edited}
          onClose={() => setEdited(null)}
        />
      )}
      {turnedOff && <TurnOffDialog receiver={turnedOff} onClose={() => setTurnedOff(null)} />}
      {deleted && <DeleteReceiverDialog receiver={deleted} onClose={() => setDeleted(null)} />}
      {tested && <TestDialog tested={tested} onClose={() => setTested(null)} />}
    </div>
  );
}

function makeColumns(actions: Actions | null): Column<Receiver>[] {
  return [
    {
      id: "name",
      header: "Receiver",
      sortBy: ({ name }) => name.toLowerCase(),
      cell: (receiver) => (
        <span className="grid min-w-36 gap-0.5 py-1">
          <span className="font-medium">{receiver.name}</span>
          <span className="max-w-64 truncate text-xs text-quiet" title={receiver.url}>
            {receiver.url}
          </span>
        </span>
      ),
    },
    {
      id: "signals",
      header: "Signals",
      from: "sm",
      cell: ({ signals }) => signals.map((signal) => signalWords[signal]).join(", "),
    },
    {
      id: "state",
      header: "State",
      sortBy: ({ state }) => state,
      cell: (receiver) => <ReceiverState receiver={receiver} />,
    },
    {
      id: "relayed",
      header: "Last export",
      from: "lg",
      isBelow: true,
      belowLabel: "Last export",
      sortBy: ({ last_relayed_at }) => last_relayed_at ?? "",
      cell: ({ last_relayed_at }) =>
        last_relayed_at === null ? (
          <span className="text-quiet">None yet</span>
        ) : (
          <RelativeTime at={last_relayed_at} />
        ),
    },
    {
      id: "actions",
      header: "",
      isNumeric: true,
      cell: (receiver) => actions && <ReceiverMenu receiver={receiver} {...actions} />,
    },
  ];
}

function ReceiverState({ receiver }: { receiver: Receiver }) {
  const { state, last_failure } = receiver;
  switch (state) {
    case "off":
      return <Badge>off</Badge>;
    case "unused":
      return <Badge>not used yet</Badge>;
    case "working":
      return <Badge tone="good">working</Badge>;
    case "failing":
      return (
        <span className="grid justify-items-start gap-0.5">
          <Badge tone="bad">failing</Badge>
          <span className="max-w-64 truncate text-xs text-bad" title={last_failure ?? ""}>
            {last_failure}
          </span>
        </span>
      );
  }
}

function ReceiverMenu(props: { receiver: Receiver } & Actions) {
  const { receiver, onEdit, onTurnOff, onDelete, onTested } = props;
  const update = useUpdateReceiver();
  const test = useTestReceiver();
  const params = { telemetry_receiver_id: receiver.id };
  const onError = (error: Error) => showToast(error.message);
  return (
    <Menu
      trigger={
        <IconButton label={`Actions for ${receiver.name}`}>
          <Ellipsis size={16} />
        </IconButton>
      }
    >
      <MenuItem onSelect={() => test.mutate({ params }, { onSuccess: onTested, onError })}>
        Send test
      </MenuItem>
      {receiver.source === "stored" && (
        <>
          <MenuItem onSelect={() => onEdit(receiver)}>Change receiver…</MenuItem>
          {receiver.is_enabled ? (
            <MenuItem onSelect={() => onTurnOff(receiver)}>Turn off receiver…</MenuItem>
          ) : (
            <MenuItem
              onSelect={() =>
                update.mutate(
                  { params, body: { is_enabled: true } },
                  { onSuccess: () => showToast("Receiver turned on"), onError },
                )
              }
            >
              Turn on
            </MenuItem>
          )}
          <MenuSeparator />
          <MenuItem isDanger onSelect={() => onDelete(receiver)}>
            Delete receiver…
          </MenuItem>
        </>
      )}
    </Menu>
  );
}

interface TestDialogProps {
  tested: ReceiverTest;
  onClose: () => void;
}

/** Answers of a receiver to an export without records. */
function TestDialog({ tested, onClose }: TestDialogProps) {
  return (
    <Dialog
      title={tested.is_accepted ? "The receiver accepts exports" : "The receiver refuses exports"}
      description="Answers to one export without records for each signal."
      isOpen
      onClose={onClose}
    >
      <ul className="grid gap-3">
        {tested.answers.map(({ signal, is_accepted, status, reason }) => (
          <li key={signal} className="grid gap-1">
            <span className="flex items-center gap-2.5">
              <span className="font-medium">{signalWords[signal]}</span>
              <Badge tone={is_accepted ? "good" : "bad"}>
                {status === null ? "no answer" : `HTTP ${status}`}
              </Badge>
            </span>
            {reason !== null && <span className="text-sm break-words text-quiet">{reason}</span>}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

interface StopProps {
  receiver: Receiver;
  onClose: () => void;
}

function StoppedReceiver({
  receiver,
  isDeleted = false,
}: {
  receiver: Receiver;
  isDeleted?: boolean;
}) {
  const [nowMs] = useState(() => Date.now());
  const receivers = useReceivers().data?.items ?? [];
  const laptops = useActiveLaptops({});
  return (
    <Consequences
      sentences={describeStoppedReceiver({
        receiver,
        receivers,
        laptops: laptops.data?.items.length,
        isDeleted,
        nowMs,
      })}
      counts={[laptops]}
    />
  );
}

function TurnOffDialog({ receiver, onClose }: StopProps) {
  return (
    <ConfirmDelayedChange
      change={useUpdateReceiver()}
      input={{ params: { telemetry_receiver_id: receiver.id }, body: { is_enabled: false } }}
      action="Turn off receiver"
      urgentAction="Turn off now"
      subject={receiver.id}
      name={`Receiver “${receiver.name}”`}
      done="turned off"
      onClose={onClose}
    >
      <p>
        <strong className="font-semibold text-ink">{receiver.name}</strong> gets no telemetry until
        it is turned on again.
      </p>
      <StoppedReceiver receiver={receiver} />
    </ConfirmDelayedChange>
  );
}

function DeleteReceiverDialog({ receiver, onClose }: StopProps) {
  const remove = useDeleteReceiver();
  return (
    <ConfirmDelayedChange
      change={remove}
      input={{ params: { telemetry_receiver_id: receiver.id } }}
      action="Delete receiver"
      urgentAction="Delete now"
      subject={receiver.id}
      name={`Receiver “${receiver.name}”`}
      done="deleted"
      onClose={onClose}
    >
      <p>
        <strong className="font-semibold text-ink">{receiver.name}</strong> gets no more telemetry.
      </p>
      <StoppedReceiver receiver={receiver} isDeleted />
    </ConfirmDelayedChange>
  );
}
