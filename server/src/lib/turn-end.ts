// Collects the work of one turn of the event loop, so that each file and each socket is written once a turn.
// Node empties the queues of promise jobs and nextTicks between two immediates. Code that awaits journal work can therefore
// still add socket work to the same turn.

/** `journal`: writes of records. `sockets`: bytes that may leave only after these records are written. */
export type TurnPhase = "journal" | "sockets";

/** Work at the end of this turn of the event loop. */
export interface TurnEnd {
  /**
   * Adds work, which must not throw. Socket work never runs while journal work waits. Work that is added to a phase after
   * it ran goes to the next turn. Exception: journal work runs before the socket work that follows it.
   */
  add(phase: TurnPhase, work: () => void): void;
}

/** Creates the end of turns for one process. */
export function makeTurnEnd(): TurnEnd {
  let journal: (() => void)[] = [];
  let sockets: (() => void)[] = [];
  /** True until the socket phase of this turn starts. */
  let isScheduled = false;

  function runJournal(): void {
    // Work of a journal may add more, which belongs before the next socket work too.
    for (let at = 0; at < journal.length; at++) journal[at]?.();
    journal = [];
  }

  function runSockets(): void {
    isScheduled = false;
    const works = sockets;
    sockets = [];
    for (const work of works) {
      if (journal.length > 0) runJournal();
      work();
    }
    if (journal.length > 0) schedule();
  }

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(runJournal);
    setImmediate(runSockets);
  }

  return {
    add(phase, work) {
      (phase === "journal" ? journal : sockets).push(work);
      schedule();
    },
  };
}
