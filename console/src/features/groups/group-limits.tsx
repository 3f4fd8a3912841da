import { Plus } from "lucide-react";
import { useState } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { LimitDialog } from "../../kit/limits/limit-dialog.tsx";
import { listRemovableValues } from "../../kit/limits/ranks.ts";
import { RemoveLimitDialog } from "../../kit/limits/remove-limit-dialog.tsx";
import { useLimitRank } from "../../kit/limits/use-limit-rank.ts";
import type { Scope } from "../../kit/scopes/scope.ts";
import { scopeLabel } from "../../kit/scopes/scope-names.ts";
import { type SpendLimit, useGroupLimits } from "../../kit/spend-limits/queries.ts";
import { spendLimits } from "../../kit/spend-limits/spend-limit-kind.ts";
import { SpendLimitRows } from "../../kit/spend-limits/spend-limit-rows.tsx";
import { useMayEverywhere } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import type { Group } from "./queries.ts";

/** Cap of the group as a whole, and default caps of its members. */
export function GroupLimits({ group }: { group: Group }) {
  const limits = useGroupLimits(group.id);
  const mayChange = useMayEverywhere()("spend_limits:write");
  const ownRank = useLimitRank();
  const [edited, setEdited] = useState<SpendLimit | Scope | null>(null);
  const [removed, setRemoved] = useState<SpendLimit | null>(null);
  const ofMembers: Scope = { type: "group_member", group_id: group.id };
  const ofGroup: Scope = { type: "group", group_id: group.id };
  const nameOf = ({ type }: Scope) =>
    type === "group_member" ? "Each member" : type === "group" ? "The whole group" : "";
  if (limits.error) return <LoadError error={limits.error} onRetry={() => void limits.refetch()} />;
  const rows = (limits.data?.items ?? []).map((limit) => ({ limit, name: nameOf(limit.scope) }));
  const actions = {
    onEdit: setEdited,
    onRemove: setRemoved,
    canRemove: (limit: SpendLimit) => listRemovableValues(limit, ownRank).length > 0,
  };
  return (
    <Section
      title="Spend limits"
      lead="A default cap applies to each member alone. A limit of the group counts all members together."
      actions={
        mayChange && (
          <>
            <Button onClick={() => setEdited(ofMembers)}>
              <Plus size={16} /> Default cap…
            </Button>
            <Button onClick={() => setEdited(ofGroup)}>
              <Plus size={16} /> Group limit…
            </Button>
          </>
        )
      }
    >
      {limits.isPending && <SkeletonRows rows={2} />}
      {limits.data && rows.length === 0 && <p className="text-quiet">No limits.</p>}
      {rows.length > 0 && <SpendLimitRows rows={rows} actions={mayChange ? actions : null} />}
      {edited !== null && (
        <LimitDialog
          kind={spendLimits}
          limit={"id" in edited ? edited : null}
          {...(!("id" in edited) && { scope: edited })}
          workspaceId={undefined}
          nameOf={({ type }) => scopeLabel(type, group.name)}
          onClose={() => setEdited(null)}
        />
      )}
      {removed && (
        <RemoveLimitDialog
          kind={spendLimits}
          removed={{ limit: removed, name: scopeLabel(removed.scope.type, group.name) }}
          onClose={() => setRemoved(null)}
        />
      )}
    </Section>
  );
}
