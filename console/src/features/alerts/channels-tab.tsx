import { Ellipsis, Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { toExports } from "../../kit/code-samples/variables.ts";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Menu, MenuItem, MenuSeparator } from "../../ui/menu.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SecretDialog } from "../../ui/secret-dialog.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { showToast } from "../../ui/toast.ts";
import { ChannelDialog } from "./channel-dialog.tsx";
import { DeliveriesDrawer } from "./deliveries-drawer.tsx";
import {
  type Channel,
  useChannels,
  useDeleteChannel,
  useTestChannel,
  useUpdateChannel,
} from "./queries.ts";
import { RotateSecretDialog } from "./rotate-secret-dialog.tsx";
import { StoppedChannel } from "./stop-consequences.tsx";
import { channelWords } from "./words.ts";

type Change = {
  channel: Channel;
  change: "edit" | "rotate" | "turn_off" | "delete" | "deliveries";
};

/** List of alert channels: e-mail, Slack, PagerDuty and webhooks. */
export function AlertChannelsTab() {
  const channels = useChannels();
  const may = useMay();
  const [isCreating, setIsCreating] = useState(false);
  const [changed, setChanged] = useState<Change | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const mayChange = may("alert_channels:write");
  const columns = useMemo(() => makeColumns(mayChange ? setChanged : null), [mayChange]);
  if (channels.error)
    return <LoadError error={channels.error} onRetry={() => void channels.refetch()} />;
  if (channels.isPending) return <SkeletonRows rows={3} />;
  const create = mayChange && (
    <Button kind="primary" data-create onClick={() => setIsCreating(true)}>
      <Plus size={16} /> Create channel…
    </Button>
  );
  const close = () => setChanged(null);
  return (
    <div className="grid gap-4">
      {channels.data.items.length === 0 ? (
        <EmptyState title="No channel yet" action={create}>
          A channel sends alerts to people or programs. Without a channel, alerts are shown only in
          the console.
        </EmptyState>
      ) : (
        <>
          {create && <div className="flex justify-end">{create}</div>}
          <Table
            label="Channels"
            columns={columns}
            rows={channels.data.items}
            rowKey={({ id }) => id}
            isDimmed={({ state }) => state === "off"}
          />
        </>
      )}
      {(isCreating || changed?.change === "edit") && (
        <ChannelDialog
          channel={changed?.change === "edit" ? changed.channel : null}
          onClose={() => {
            setIsCreating(false);
            close();
          }}
          onSecret={setSecret}
        />
      )}
      {changed?.change === "rotate" && (
        <RotateSecretDialog channel={changed.channel} onClose={close} onSecret={setSecret} />
      )}
      {changed?.change === "turn_off" && (
        <TurnOffDialog channel={changed.channel} onClose={close} />
      )}
      {changed?.change === "delete" && (
        <DeleteChannelDialog channel={changed.channel} onClose={close} />
      )}
      {changed?.change === "deliveries" && (
        <DeliveriesDrawer channel={changed.channel} onClose={close} />
      )}
      <SecretDialog
        title="Store the signing secret"
        description="Your program verifies messages of this server with this secret (Standard Webhooks)."
        secret={secret}
        variables={secret === null ? undefined : toExports([["WEBHOOK_SECRET", secret]])}
        onDone={() => setSecret(null)}
      />
    </div>
  );
}

function makeColumns(onChange: ((change: Change) => void) | null): Column<Channel>[] {
  return [
    {
      id: "name",
      header: "Channel",
      sortBy: ({ name }) => name.toLowerCase(),
      cell: (channel) => (
        <span className="grid min-w-28 gap-0.5 py-1 xl:min-w-36">
          <span className="font-medium">{channel.name}</span>
          <span className="text-xs text-quiet">{channelWords[channel.kind].label}</span>
        </span>
      ),
    },
    {
      id: "target",
      header: "Target",
      from: "sm",
      cell: (channel) => (
        <span className="block max-w-40 truncate text-quiet xl:max-w-64">
          {describeTarget(channel)}
        </span>
      ),
    },
    {
      id: "state",
      header: "State",
      sortBy: ({ state }) => state,
      cell: (channel) => <ChannelState channel={channel} />,
    },
    {
      id: "alerts",
      header: "Alerts",
      from: "lg",
      isNumeric: true,
      sortBy: ({ alerts }) => alerts,
      cell: ({ alerts }) => alerts,
    },
    {
      id: "last",
      header: "Last message",
      from: "lg",
      cell: ({ last_delivery }) =>
        last_delivery ? (
          <span className="grid grid-cols-[auto] gap-0.5">
            <RelativeTime at={last_delivery.at} />
            <span className="text-xs text-quiet">{last_delivery.status}</span>
          </span>
        ) : (
          <span className="text-quiet">None yet</span>
        ),
    },
    {
      id: "actions",
      header: "",
      isNumeric: true,
      cell: (channel) => onChange && <ChannelMenu channel={channel} onChange={onChange} />,
    },
  ];
}

const receiverWords: Record<NonNullable<Channel["recipients"]>["roles"][number], string> = {
  owner: "Owners",
  admin: "Admins",
  developer: "Developers",
  billing: "Billing members",
  user: "Members",
  claude_code_user: "Claude Code users",
};

function describeTarget({ recipients, target_hint }: Channel): string {
  if (!recipients) return target_hint ?? "";
  const roles = recipients.roles.map((role) => receiverWords[role]);
  const count = recipients.addresses.length;
  const addresses =
    count === 0
      ? []
      : count <= 2
        ? recipients.addresses
        : [formatPlural(count, "address", "addresses")];
  return [...roles, ...addresses].join(", ");
}

function ChannelState({ channel }: { channel: Channel }) {
  if (channel.state === "off") return <Badge>off</Badge>;
  if (channel.state === "paused") {
    return (
      <span className="grid max-w-44 min-w-36 xl:max-w-64 justify-items-start gap-0.5">
        <Badge tone="bad">paused</Badge>
        {channel.pause_reason && (
          <span className="max-w-full text-xs text-bad sm:truncate" title={channel.pause_reason}>
            {channel.pause_reason}
          </span>
        )}
      </span>
    );
  }
  return channel.failures_in_a_row > 0 ? (
    <Badge tone="warn">{formatPlural(channel.failures_in_a_row, "failure")}</Badge>
  ) : (
    <Badge tone="good">working</Badge>
  );
}

function ChannelMenu({
  channel,
  onChange,
}: {
  channel: Channel;
  onChange: (change: Change) => void;
}) {
  const update = useUpdateChannel();
  const test = useTestChannel();
  const isOn = channel.state === "working";
  const turnOn = () =>
    update.mutate(
      { params: { alert_channel_id: channel.id }, body: { is_enabled: true } },
      {
        onSuccess: () => showToast("Channel turned on"),
        onError: (error) => showToast(error.message),
      },
    );
  return (
    <Menu
      trigger={
        <IconButton label={`Actions for ${channel.name}`}>
          <Ellipsis size={16} />
        </IconButton>
      }
    >
      <MenuItem
        onSelect={() =>
          test.mutate(
            { params: { alert_channel_id: channel.id } },
            {
              onSuccess: ({ status, last_error }) =>
                showToast(
                  status === "failed"
                    ? `The test failed: ${last_error ?? "no reason reported"}`
                    : status === "sent"
                      ? "Test delivered"
                      : "Test queued",
                ),
              onError: (error) => showToast(error.message),
            },
          )
        }
      >
        Send test
      </MenuItem>
      <MenuItem onSelect={() => onChange({ channel, change: "deliveries" })}>
        Show deliveries
      </MenuItem>
      <MenuItem onSelect={() => onChange({ channel, change: "edit" })}>Change channel…</MenuItem>
      {channel.kind === "webhook" && (
        <MenuItem onSelect={() => onChange({ channel, change: "rotate" })}>
          Rotate signing secret…
        </MenuItem>
      )}
      {isOn ? (
        <MenuItem onSelect={() => onChange({ channel, change: "turn_off" })}>
          Turn off channel…
        </MenuItem>
      ) : (
        <MenuItem onSelect={turnOn}>{channel.state === "paused" ? "Resume" : "Turn on"}</MenuItem>
      )}
      <MenuSeparator />
      <MenuItem isDanger onSelect={() => onChange({ channel, change: "delete" })}>
        Delete channel…
      </MenuItem>
    </Menu>
  );
}

function TurnOffDialog({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  return (
    <ConfirmDelayedChange
      change={useUpdateChannel()}
      input={{ params: { alert_channel_id: channel.id }, body: { is_enabled: false } }}
      action="Turn off channel"
      urgentAction="Turn off now"
      subject={channel.id}
      name={`Channel “${channel.name}”`}
      done="turned off"
      onClose={onClose}
    >
      <p>
        <strong className="font-semibold text-ink">{channel.name}</strong> sends no more messages.
      </p>
      <StoppedChannel channel={channel} />
    </ConfirmDelayedChange>
  );
}

function DeleteChannelDialog({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const remove = useDeleteChannel();
  return (
    <ConfirmDelayedChange
      change={remove}
      input={{ params: { alert_channel_id: channel.id } }}
      action="Delete channel"
      urgentAction="Delete now"
      subject={channel.id}
      name={`Channel “${channel.name}”`}
      done="deleted"
      onClose={onClose}
    >
      <p>
        <strong className="font-semibold text-ink">{channel.name}</strong> sends no more messages.
      </p>
      <StoppedChannel channel={channel} isDeleted />
    </ConfirmDelayedChange>
  );
}
