import { useEffect, useRef } from "react";
import { type Answer, call, sendLast } from "../../api-client.ts";

type Session = Answer<"startPlaygroundSession">;

/** A message that begins just before the end would be refused on the way. */
const SPARE_MS = 30_000;

export interface PlaygroundKeys {
  /** The secret for the workspace: that of the session that runs, or of a new one. */
  keyFor: (workspaceId: string) => Promise<string>;
  /** The session is of no use any more: the next message starts another. */
  drop: () => void;
}

/**
 * The page's key for the Claude API. It is kept in memory and nowhere else, works for ten minutes, and ends when the page
 * is left, so that what the page could do ends with it.
 */
export function usePlaygroundKeys(): PlaygroundKeys {
  const live = useRef<Session | null>(null);
  useEffect(() => {
    const end = () => endSession(live);
    addEventListener("pagehide", end);
    return () => {
      removeEventListener("pagehide", end);
      end();
    };
  }, []);
  return {
    keyFor: async (workspaceId) => {
      const session = live.current;
      const isUsable =
        session?.workspace_id === workspaceId &&
        Date.parse(session.expires_at) - SPARE_MS > Date.now();
      if (session && isUsable) return session.key;
      endSession(live);
      live.current = await call("startPlaygroundSession", { body: { workspace_id: workspaceId } });
      return live.current.key;
    },
    drop: () => endSession(live),
  };
}

function endSession(live: { current: Session | null }): void {
  if (live.current === null) return;
  sendLast("endPlaygroundSession", { params: { playground_session_id: live.current.id } });
  live.current = null;
}
