import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { computeShare, INNER_PART, OUTER_PART } from "#src/domain/fair-share.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import { waitForNextTurn } from "#src/lib/slices.ts";

// Bounds files that are streamed at the same time, so that exports do not slow Claude requests. Each file uses a database
// connection and processor time to its end.

/** Most files that one process streams. */
const MAX_FILES = 6;
/** Pause between two pieces of all files while Claude requests run, milliseconds. A piece takes one or two. */
const BUSY_PAUSE_MS = 8;

export interface StreamedFiles {
  /**
   * Takes a place until the returned function is called. Throws `share_exhausted` if the caller or its organization has its
   * share.
   */
  open(caller: Caller): () => void;
  /** Resolves when the next piece of a file may be made. One piece of all files is made at a time. */
  waitForTurn(): Promise<void>;
}

/** `isBusy`: Claude requests run, which come before files. */
export function makeStreamedFiles(isBusy: () => boolean): StreamedFiles {
  const open = new Map<string, number>();
  let all = 0;
  let turns = Promise.resolve();
  const startTurn = (): Promise<void> => (isBusy() ? sleep(BUSY_PAUSE_MS) : waitForNextTurn());
  const countOf = (id: string): number => open.get(id) ?? 0;
  const add = (id: string, change: 1 | -1): void => {
    const count = countOf(id) + change;
    if (count === 0) open.delete(id);
    else open.set(id, count);
  };
  return {
    open(caller) {
      const organization = caller.organizationId;
      const holder = `${caller.kind} ${caller.id}`;
      const [ofOrganization, ofHolder] = [countOf(organization), countOf(holder)];
      const share = computeShare(MAX_FILES - all + ofOrganization, OUTER_PART, 1);
      if (ofOrganization >= share) throw makeShareError(null, ofOrganization, share);
      const own = computeShare(share - ofOrganization + ofHolder, INNER_PART, 1);
      if (ofHolder >= own) throw makeShareError(caller, ofHolder, own);
      all += 1;
      add(organization, 1);
      add(holder, 1);
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        all -= 1;
        add(organization, -1);
        add(holder, -1);
      };
    },
    waitForTurn() {
      turns = turns.then(startTurn);
      return turns;
    },
  };
}

/** `caller`: the owner of the share. Null: the organization. */
function makeShareError(caller: Caller | null, used: number, most: number): ApiError {
  const owner = caller === null ? "organization" : "caller";
  const ofKey = caller?.kind === "api_key" ? caller : null;
  const organization = { type: "organization" } as const;
  const scope = ofKey ? toWireScope({ scopeType: "api_key", scopeId: ofKey.id }) : null;
  return new ApiError(
    "share_exhausted",
    `This ${owner} already downloads ${used} files at the same time, and its share is ${most}. Send the request again ` +
      "when one of them is complete.",
    { "retry-after": "5" },
    {
      share: { kind: "streamed_files", scope: caller === null ? organization : scope, used, most },
    },
  );
}
