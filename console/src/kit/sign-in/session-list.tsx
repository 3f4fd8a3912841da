import type { Answer } from "../../api-client.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";

interface SessionListProps {
  sessions: Answer<"listSessions">["data"];
  /** Session whose end is not yet confirmed. */
  endingId: string | undefined;
  onEnd: (id: string) => void;
  /** Ends the current session. */
  onSignOut?: () => void;
}

/** Devices that are signed in, each with a button that ends its session. */
export function SessionList({ sessions, endingId, onEnd, onSignOut }: SessionListProps) {
  return (
    <ul className="divide-y divide-line border-y border-line text-sm">
      {sessions.map((session) => (
        <li key={session.id} className="flex flex-wrap items-center gap-x-6 gap-y-1 py-3">
          <span className="flex-1 basis-44">
            <span className="font-medium">{session.device ?? "Unknown device"}</span>{" "}
            {session.is_current && <Badge tone="good">current</Badge>}
            <span className="block text-quiet">
              {session.ip_address ?? "unknown address"}, last used{" "}
              <RelativeTime at={session.last_used_at} />
            </span>
          </span>
          {session.is_current && onSignOut ? (
            <Button onClick={onSignOut}>Sign out</Button>
          ) : (
            <Button isBusy={endingId === session.id} onClick={() => onEnd(session.id)}>
              End session
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}
