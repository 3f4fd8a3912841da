import { makeObservable, type Observable } from "../../observable.ts";

/** Maximum number of changes that wait. With one more, the oldest is sent at once. */
const MAX_WAITING = 20;

/** A change that waits, so that the member can undo it. */
export interface ChangeToDelay {
  /** Id of the changed thing, or several ids with spaces. A later change of the same subject replaces one that waits. */
  subject: string;
  /** Subject of a sentence: "Key “ci”". */
  name: string;
  /** Participle: "disabled", "archived". */
  done: string;
  /** Sends the change. The message of its error is shown. `isAttended`: the member has just asked for it. */
  send: (isAttended: boolean) => Promise<void>;
}

export type DelayedChange = ChangeToDelay & { id: string } & (
    | { state: "waiting"; endsAtMs: number }
    | { state: "sending" }
    | { state: "failed"; error: Error }
  );

export interface DelayedChanges {
  /** Changes that wait, run or have failed, oldest first. */
  all: Observable<readonly DelayedChange[]>;
  delay(change: ChangeToDelay): void;
  /** Removes a change that waits or has failed. Returns false for one that was sent. */
  undo(id: string): boolean;
  /** Sends a change that waits, or one that has failed again. */
  sendNow(id: string): void;
  /** Removes all changes that were not sent. Returns their number. */
  dropAll(): number;
}

interface Settings {
  delayMs: () => number;
  nowMs: () => number;
}

/** Changes of this tab that wait for their time. The server knows nothing of them before. */
export function makeDelayedChanges({ delayMs, nowMs }: Settings): DelayedChanges {
  const all = makeObservable<readonly DelayedChange[]>([]);
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  let lastId = 0;

  const stopTimer = (id: string) => {
    clearTimeout(timers.get(id));
    timers.delete(id);
  };
  const remove = (id: string) => {
    stopTimer(id);
    all.set(all.get().filter((change) => change.id !== id));
  };
  const replace = (next: DelayedChange) => {
    all.set(all.get().map((change) => (change.id === next.id ? next : change)));
  };
  const sendChange = async (id: string, isAttended: boolean) => {
    stopTimer(id);
    const change = all.get().find((one) => one.id === id);
    if (!change || change.state === "sending") return;
    const { subject, name, done, send } = change;
    const toSend = { id, subject, name, done, send };
    replace({ ...toSend, state: "sending" });
    try {
      await send(isAttended);
      remove(id);
    } catch (error) {
      replace({ ...toSend, state: "failed", error: error as Error });
    }
  };
  const isUndoable = ({ state }: DelayedChange) => state !== "sending";
  const isWaiting = ({ state }: DelayedChange) => state === "waiting";
  const undo = (id: string) => {
    const change = all.get().find((one) => one.id === id);
    if (!change || !isUndoable(change)) return false;
    remove(id);
    return true;
  };
  return {
    all,
    delay: (change) => {
      for (const earlier of all.get()) {
        if (earlier.subject === change.subject && isUndoable(earlier)) remove(earlier.id);
      }
      const waiting = all.get().filter(isWaiting);
      const [oldest] = waiting;
      if (oldest && waiting.length >= MAX_WAITING) void sendChange(oldest.id, false);
      lastId += 1;
      const id = String(lastId);
      const waitMs = delayMs();
      all.set([...all.get(), { ...change, id, state: "waiting", endsAtMs: nowMs() + waitMs }]);
      timers.set(
        id,
        setTimeout(() => void sendChange(id, false), waitMs),
      );
    },
    undo,
    sendNow: (id) => void sendChange(id, true),
    dropAll: () => {
      const dropped = all.get().filter(isUndoable);
      for (const { id } of dropped) remove(id);
      return dropped.length;
    },
  };
}
