import type { MessageBatchStatus } from "@bursar/contract/admin/message-batches.ts";
import type { Tone } from "../../ui/badge.tsx";
import type { BatchGroup } from "./search.ts";

interface StatusWords {
  label: string;
  tone: Tone;
  group: BatchGroup;
  /** Explanation in the drawer. */
  meaning: string;
}

export const statusWords: Readonly<Record<MessageBatchStatus, StatusWords>> = {
  arriving: {
    label: "Arriving",
    tone: "plain",
    group: "running",
    meaning: "The server receives its requests.",
  },
  held: {
    label: "Held",
    tone: "plain",
    group: "running",
    meaning: "Its highest cost is held. Nothing was sent yet.",
  },
  sent: {
    label: "Sent",
    tone: "warn",
    group: "running",
    meaning: "The upstream has not answered yet. The server looks for the batch there.",
  },
  in_progress: {
    label: "In progress",
    tone: "accent",
    group: "running",
    meaning: "The upstream runs it.",
  },
  canceling: {
    label: "Canceling",
    tone: "warn",
    group: "running",
    meaning: "The upstream ends it soon. Finished requests keep their results and their cost.",
  },
  recording: {
    label: "Recording",
    tone: "accent",
    group: "running",
    meaning: "The server records the results and their cost.",
  },
  ended: {
    label: "Ended",
    tone: "good",
    group: "ended",
    meaning: "The cost of all its requests is known.",
  },
  refused: {
    label: "Refused",
    tone: "bad",
    group: "failed",
    meaning: "The upstream does not have it, so nothing was spent.",
  },
  unresolved: {
    label: "Unresolved",
    tone: "bad",
    group: "failed",
    meaning:
      "The cost of some requests is unknown. Their hold counts as spent until it is resolved.",
  },
};

/** Statuses of a group. Undefined: all of them. */
export function listStatuses(group: BatchGroup | undefined): MessageBatchStatus[] | undefined {
  if (group === undefined) return undefined;
  const all = Object.keys(statusWords) as MessageBatchStatus[];
  return all.filter((status) => statusWords[status].group === group);
}

/** True while its cost is not recorded, and depends on its upstream. */
export function isAbandonable({ status }: { status: MessageBatchStatus }): boolean {
  const isRunning = status === "in_progress" || status === "canceling" || status === "recording";
  return isRunning || status === "sent";
}

/** True while the upstream can cancel it. */
export function isCancelable({ status }: { status: MessageBatchStatus }): boolean {
  return status === "in_progress";
}
