import { Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { LimitDialog } from "../../kit/limits/limit-dialog.tsx";
import type { Limited, LimitKind, LimitValues } from "../../kit/limits/limit-kind.ts";
import { listRemovableValues } from "../../kit/limits/ranks.ts";
import { RemoveLimitDialog } from "../../kit/limits/remove-limit-dialog.tsx";
import { useLimitRank } from "../../kit/limits/use-limit-rank.ts";
import { useGroupRates } from "../../kit/rate-limits/queries.ts";
import { rateLimits } from "../../kit/rate-limits/rate-limit-kind.ts";
import type { Scope } from "../../kit/scopes/scope.ts";
import { scopeLabel } from "../../kit/scopes/scope-names.ts";
import { useGroupLimits } from "../../kit/spend-limits/queries.ts";
import { spendLimits } from "../../kit/spend-limits/spend-limit-kind.ts";
import type { WholeList } from "../../queries.ts";
import { useMayEverywhere } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import type { Group } from "./queries.ts";

interface GroupPartProps {
  group: Group;
  /** Shown below, when the part is loaded, so that the part does not move it. */
  children: ReactNode;
}

/** Cap of the group as a whole, and default caps of its members. */
export function GroupLimits({ group, children }: GroupPartProps) {
  return (
    <LimitsOfGroup
      group={group}
      kind={spendLimits}
      limits={useGroupLimits(group.id)}
      words={{
        title: "Spend limits",
        lead: "A default cap applies to each member alone. A limit of the group counts all members together.",
        none: "No limits.",
        ofMembers: "Default cap",
        ofGroup: "Group limit",
      }}
    >
      {children}
    </LimitsOfGroup>
  );
}

/** Rates of the group as a whole, and default rates of its members. */
export function GroupRates({ group, children }: GroupPartProps) {
  return (
    <LimitsOfGroup
      group={group}
      kind={rateLimits}
      limits={useGroupRates(group.id)}
      words={{
        title: "Rate limits",
        lead: "A default rate applies to each member alone. A rate of the group counts all members together.",
        none: "No rate limits.",
        ofMembers: "Default rate",
        ofGroup: "Group rate",
      }}
    >
      {children}
    </LimitsOfGroup>
  );
}

interface LimitsOfGroupProps<Limit extends Limited, Values extends LimitValues>
  extends GroupPartProps {
  kind: LimitKind<Limit, Values>;
  limits: {
    data: WholeList<Limit> | undefined;
    error: Error | null;
    isPending: boolean;
    refetch: () => unknown;
  };
  words: { title: string; lead: string; none: string; ofMembers: string; ofGroup: string };
}

function LimitsOfGroup<Limit extends Limited, Values extends LimitValues>(
  props: LimitsOfGroupProps<Limit, Values>,
) {
  const { group, kind, limits, words, children } = props;
  const mayChange = useMayEverywhere()(kind.writeAction);
  const ownRank = useLimitRank();
  const [edited, setEdited] = useState<Limit | Scope | null>(null);
  const [removed, setRemoved] = useState<Limit | null>(null);
  const ofMembers: Scope = { type: "group_member", group_id: group.id };
  const ofGroup: Scope = { type: "group", group_id: group.id };
  const nameOf = ({ type }: Scope) =>
    type === "group_member" ? "Each member" : type === "group" ? "The whole group" : "";
  if (limits.error) {
    return (
      <>
        <LoadError error={limits.error} onRetry={() => void limits.refetch()} />
        {children}
      </>
    );
  }
  const rows = (limits.data?.items ?? []).map((limit) => ({ limit, name: nameOf(limit.scope) }));
  const actions = {
    onEdit: setEdited,
    onRemove: setRemoved,
    canRemove: (limit: Limit) => listRemovableValues(limit, ownRank).length > 0,
  };
  return (
    <>
      <Section
        title={words.title}
        lead={words.lead}
        actions={
          mayChange && (
            <>
              <Button onClick={() => setEdited(ofMembers)}>
                <Plus size={16} /> {words.ofMembers}…
              </Button>
              <Button onClick={() => setEdited(ofGroup)}>
                <Plus size={16} /> {words.ofGroup}…
              </Button>
            </>
          )
        }
      >
        {limits.isPending && <SkeletonRows rows={2} />}
        {limits.data && rows.length === 0 && <p className="text-quiet">{words.none}</p>}
        {rows.length > 0 && <kind.list.Rows rows={rows} actions={mayChange ? actions : null} />}
        {edited !== null && (
          <LimitDialog
            kind={kind}
            limit={"id" in edited ? edited : null}
            {...(!("id" in edited) && { scope: edited })}
            workspaceId={undefined}
            nameOf={({ type }) => scopeLabel(type, group.name)}
            onClose={() => setEdited(null)}
          />
        )}
        {removed && (
          <RemoveLimitDialog
            kind={kind}
            removed={{ limit: removed, name: scopeLabel(removed.scope.type, group.name) }}
            onClose={() => setRemoved(null)}
          />
        )}
      </Section>
      {!limits.isPending && children}
    </>
  );
}
