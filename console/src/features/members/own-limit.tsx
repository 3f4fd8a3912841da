import { Plus } from "lucide-react";
import { useState } from "react";
import { LimitDialog } from "../../kit/limits/limit-dialog.tsx";
import type { Limited, LimitKind, LimitValues } from "../../kit/limits/limit-kind.ts";
import type { Member } from "../../kit/members/queries.ts";
import { scopeLabel } from "../../kit/scopes/scope-names.ts";
import { useMayEverywhere } from "../../session.ts";
import { Button } from "../../ui/button.tsx";

interface SetOwnLimitProps<Limit extends Limited, Values extends LimitValues> {
  kind: LimitKind<Limit, Values>;
  member: Member;
  /** "Set own limit…" */
  label: string;
}

/** Button that sets a value of the person. Null: the signed-in member may not. */
export function SetOwnLimit<Limit extends Limited, Values extends LimitValues>(
  props: SetOwnLimitProps<Limit, Values>,
) {
  const { kind, member, label } = props;
  const mayChange = useMayEverywhere()(kind.writeAction);
  const [isOpen, setIsOpen] = useState(false);
  if (!mayChange) return null;
  const name = member.name || member.email;
  return (
    <>
      <Button onClick={() => setIsOpen(true)}>
        <Plus size={16} /> {label}
      </Button>
      {isOpen && (
        <LimitDialog
          kind={kind}
          limit={null}
          scope={{ type: "member", member_id: member.id }}
          workspaceId={undefined}
          nameOf={({ type }) => scopeLabel(type, name)}
          onClose={() => setIsOpen(false)}
        />
      )}
    </>
  );
}
