import { useEffect, useRef } from "react";
import { type Answer, call, sendOnUnload } from "../../api-client.ts";

type Session = Answer<"startPlaygroundSession">;

/** Time before the expiry when a new session starts, so that a message does not reach an expired one. */
const RENEW_BEFORE_MS = 30_000;

export interface PlaygroundKeys {
  /** Returns the secret of the running session, or of a new one. */
  getSecret: (workspaceId: string) => Promise<string>;
  /** Discards the session. The next message starts another one. */
  discard: () => void;
}

/**
 * The page's key for the Claude API, in memory only. The key works for ten minutes, and ends when the member leaves the
 * page.
 */
export function usePlaygroundKeys(): PlaygroundKeys {
  const running = useRef<Session | null>(null);
  useEffect(() => {
    const end = () => endSession(running);
    addEventListener("pagehide", end);
    return () => {
      removeEventListener("pagehide", end);
      end();
    };
  }, []);
  return {
    getSecret: async (workspaceId) => {
      const session = running.current;
      const isUsable =
        session?.workspace_id === workspaceId &&
        Date.parse(session.expires_at) - RENEW_BEFORE_MS > Date.now();
      if (session && isUsable) return session.key;
      endSession(running);
      running.current = await call("startPlaygroundSession", {
        body: { workspace_id: workspaceId },
      });
      return running.current.key;
    },
    discard: () => endSession(running),
  };
}

function endSession(running: { current: Session | null }): void {
  if (running.current === null) return;
  sendOnUnload("endPlaygroundSession", { params: { playground_session_id: running.current.id } });
  running.current = null;
}
