import { useEffect, useRef } from "react";
import { type Answer, call, sendLast } from "../../api-client.ts";

type Session = Answer<"startPlaygroundSession">;

/** Time before the expiry when a new session starts, so that a message does not reach an expired one. */
const SPARE_MS = 30_000;

export interface PlaygroundKeys {
  /** Returns the secret of the running session, or of a new one. */
  keyFor: (workspaceId: string) => Promise<string>;
  /** Discards the session. The next message starts another one. */
  drop: () => void;
}

/**
 * The page's key for the Claude API, in memory only. The key works for ten minutes, and ends when the member leaves the
 * page.
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
