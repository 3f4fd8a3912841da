import { useState } from "react";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { useApi } from "../../queries.ts";
import { type Alert, type Channel, useAlerts } from "./queries.ts";
import {
  describeChangedTarget,
  describeReceivers,
  describeStoppedChannel,
  describeStoppedRule,
} from "./stop-effects.ts";

interface StoppedChannelProps {
  channel: Channel;
  isDeleted?: boolean;
}

/** Effects of a channel that is turned off or deleted. */
export function StoppedChannel({ channel, isDeleted = false }: StoppedChannelProps) {
  const rules = useAlerts();
  return (
    <Consequences
      sentences={describeStoppedChannel({ channel, rules: rules.data?.items, isDeleted })}
      counts={[rules]}
    />
  );
}

interface ChangedTargetProps {
  /** Stored channel. */
  channel: Channel;
  hasNewTarget: boolean;
  /** Entered recipients. Null: not e-mail. */
  recipients: Channel["recipients"];
}

/** Effects of another target of a channel. */
export function ChangedTarget({ channel, hasNewTarget, recipients }: ChangedTargetProps) {
  const { alerts, recipients: before } = channel;
  return (
    <Consequences
      sentences={describeChangedTarget({ alerts, hasNewTarget, before, after: recipients })}
    />
  );
}

/** Effects of a rule that is turned off or deleted. */
export function StoppedRule({ rule }: { rule: Alert }) {
  const [nowMs] = useState(() => Date.now());
  const { id: alert_id, scope, includes_below, condition } = rule;
  const preview = useApi("previewAlert", {
    body: { alert_id, scope, includes_below, condition },
  });
  const covering = preview.data?.covered_by;
  return (
    <Consequences sentences={describeStoppedRule({ rule, covering, nowMs })} counts={[preview]} />
  );
}

/** Receivers that get no messages while the rule is muted. */
export function MutedRule({ ruleId }: { ruleId: string }) {
  const rules = useAlerts();
  const rule = rules.data?.items.find(({ id }) => id === ruleId);
  return <Consequences sentences={rule ? describeReceivers(rule) : []} counts={[rules]} />;
}
