import type { Member } from "../../kit/members/queries.ts";
import { SessionList } from "../../kit/sign-in/session-list.tsx";
import { useChange } from "../../queries.ts";
import { Section } from "../../ui/page.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { useMemberSessions } from "./queries.ts";

/** Devices on which the member is signed in to the console. */
export function MemberSessions({ member }: { member: Member }) {
  const params = { member_id: member.id };
  const sessions = useMemberSessions(member.id);
  const end = useChange("endMemberSession", ["listMemberSessions"]);
  const list = sessions.data?.data;
  return (
    <Section title="Sessions" lead="Devices that are signed in to the console.">
      {sessions.error && <FormError error={sessions.error} />}
      {!list && !sessions.error && <SkeletonRows rows={1} />}
      {list?.length === 0 && <p className="text-sm text-quiet">No sessions.</p>}
      {list !== undefined && list.length > 0 && (
        <SessionList
          sessions={list}
          endingId={end.isPending ? end.variables?.params.session_id : undefined}
          onEnd={(id) => end.mutate({ params: { ...params, session_id: id } })}
        />
      )}
      <FormError error={end.error} />
    </Section>
  );
}
