/** A position of the primary's log, and a time before which every commit is below it. */
interface WalPosition {
  lsn: bigint;
  /** Milliseconds since the epoch. */
  atMs: number;
}

/** One position a second, so this covers the lag of an hour. */
const MAX_POSITIONS = 3_600;

/**
 * Remembers positions of the primary's log with their times. A replica that has replayed a position has every commit from
 * before its time. So a replica of an idle primary has no lag, however old the last commit is.
 */
export class WalPositions {
  #positions: WalPosition[] = [];

  /** Adds a position that was read after `atMs`. */
  add(position: WalPosition): void {
    const last = this.#positions.at(-1);
    // After a failover the new primary continues at an earlier position.
    if (last !== undefined && position.lsn < last.lsn) this.#positions = [];
    else if (last?.lsn === position.lsn) this.#positions.pop();
    this.#positions.push(position);
    if (this.#positions.length > MAX_POSITIONS) this.#positions.shift();
  }

  /** Returns the time up to which a replica has all commits. Null: it has replayed none of the positions. */
  findTime(replayedLsn: bigint): number | null {
    return this.#positions.findLast(({ lsn }) => lsn <= replayedLsn)?.atMs ?? null;
  }
}
