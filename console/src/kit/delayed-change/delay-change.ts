import { alwaysNeedsStepUp, call, type Input, type Operation } from "../../api-client.ts";
import { makeIdempotencyKey } from "../../attempts.ts";
import { queryClient } from "../../queries.ts";
import { stepUpQuestion } from "../../questions.ts";
import { hasStepUpFor } from "../../session.ts";
import { formatPlural } from "../../ui/format.ts";
import { isDialogOpen } from "../../ui/open-dialog.ts";
import { type Notice, notices, showToast } from "../../ui/toast.ts";
import { type DelayedChange, makeDelayedChanges } from "./delayed-changes.ts";

const DELAY_MS = 10_000;
/** Step-up that lasts until the server has a change. */
const STEP_UP_MS = DELAY_MS + 5_000;

declare global {
  /** Wait before a delayed change, milliseconds. Tests set it before the console starts. */
  var bursarChangeDelayMs: number | undefined;
}

/** Changes that wait in this tab. Pages of the console come and go, and the changes stay. */
export const delayedChanges = makeDelayedChanges({
  delayMs: () => globalThis.bursarChangeDelayMs ?? DELAY_MS,
  nowMs: () => Date.now(),
});

interface ServerChange<O extends Operation> {
  /** Part of `useChange`. */
  change: { operation: O; staleOperations: readonly Operation[] };
  input: Input<O>;
  subject: string;
  name: string;
  done: string;
  /** Second line of the toast after the change. */
  toastDetail?: string | undefined;
}

/**
 * Sends a change after ten seconds, unless the member undoes it. Asks for a required step-up first. Returns false if the
 * member cancels it. A repeated attempt has the same idempotency key.
 */
export async function delayChange<O extends Operation>(options: ServerChange<O>): Promise<boolean> {
  const { input, subject, name, done, toastDetail } = options;
  const { operation, staleOperations } = options.change;
  const isProven = !alwaysNeedsStepUp(operation) || hasStepUpFor(STEP_UP_MS);
  if (!isProven && !(await stepUpQuestion.ask())) return false;
  const idempotencyKey = makeIdempotencyKey();
  startUndoSupport();
  delayedChanges.delay({
    subject,
    name,
    done,
    send: async (isAttended) => {
      await call(operation, input, { idempotencyKey, isUnattended: !isAttended });
      showToast(`${name} ${done}`, toastDetail);
      void queryClient.invalidateQueries({ queryKey: ["getBadges"] });
      await Promise.all(
        staleOperations.map((stale) => queryClient.invalidateQueries({ queryKey: [stale] })),
      );
    },
  });
  return true;
}

function toNotice(change: DelayedChange): Notice {
  const { name, done, state } = change;
  const shown = { id: `delayed-${change.id}`, endsAtMs: null };
  if (state === "sending") {
    return { ...shown, title: `${name} is being ${done}`, isBusy: true, actions: [] };
  }
  const sendNow = () => delayedChanges.sendNow(change.id);
  if (state === "failed") {
    return {
      ...shown,
      title: `${name} was not ${done}`,
      description: change.error.message,
      actions: [
        { label: "Try again", onSelect: sendNow },
        { label: "Dismiss", onSelect: () => delayedChanges.undo(change.id) },
      ],
    };
  }
  const isMac = /Mac|iP(hone|ad)/.test(navigator.platform);
  return {
    ...shown,
    title: `${name} will be ${done}`,
    description: "Nothing happens if you close this tab first.",
    endsAtMs: change.endsAtMs,
    actions: [
      { label: "Now", hint: "Do not wait", onSelect: sendNow },
      { label: "Undo", hint: isMac ? "⌘ Z" : "Ctrl Z", onSelect: () => undoChange(change) },
    ],
  };
}

function undoChange({ id, name }: DelayedChange): void {
  if (delayedChanges.undo(id)) showToast("Undone", `${name} stays as it was.`);
}

let isStarted = false;

/** Starts notices, shortcut and questions with the first delayed change. */
function startUndoSupport(): void {
  if (isStarted) return;
  isStarted = true;
  const { all } = delayedChanges;
  all.watch(() => notices.set(all.get().map(toNotice)));
  addEventListener("beforeunload", (event) => {
    if (all.get().length > 0) event.preventDefault();
  });
  addEventListener("keydown", undoByKey);
  queryClient.getQueryCache().subscribe(({ query }) => {
    if (query.queryKey[0] === "getSession" && query.state.data === null) dropWithSession();
  });
}

/** A change of one member must never be sent in the session of another one. */
function dropWithSession(): void {
  const dropped = delayedChanges.dropAll();
  if (dropped > 0) showToast(`${formatPlural(dropped, "change")} not made: the session ended`);
}

/** ⌘Z undoes the newest change that waits. In a field, the browser undoes the typing. */
function undoByKey(event: KeyboardEvent): void {
  const isUndo = (event.metaKey || event.ctrlKey) && !event.shiftKey && event.key === "z";
  if (!isUndo || isDialogOpen() || isField(event.target)) return;
  const newest = delayedChanges.all.get().findLast(({ state }) => state === "waiting");
  if (!newest) return;
  event.preventDefault();
  undoChange(newest);
}

function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName))
  );
}
