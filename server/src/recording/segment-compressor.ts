import fs from "node:fs/promises";
import path from "node:path";
import type { Logger } from "#src/lib/logger.ts";
import { compressLines } from "./compressed-segment.ts";
import type { JournalFiles } from "./journal-files.ts";
import type { SealedSegment } from "./replay.ts";
import { compressedPath, isCompressed } from "./segments.ts";

export interface SegmentCompressorOptions {
  files: JournalFiles;
  directory: string;
  logger: Logger;
  /** Time from a complete segment to its compression, milliseconds. A start and its flush then have the CPU. */
  delayMs: number;
  /** Whether the journal still has this segment. */
  hasSegment: (file: string) => boolean;
  /** `file` was replaced by `compressed`, which has fewer bytes. */
  onCompressed: (file: string, compressed: { file: string; savedBytes: number }) => void;
}

const DRAFT_SUFFIX = ".new";
/** A smaller segment stays as it is. */
const MIN_BYTES = 64 * 1024;

/**
 * Compresses complete segments, one at a time, outside the event loop. The original is deleted after the compressed file
 * and its name are on the disk. So a crash leaves a whole original, a whole compressed file, or both.
 */
export class SegmentCompressor {
  readonly #options: SegmentCompressorOptions;
  #queue: string[] = [];
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #state: "active" | "stopped" = "active";

  constructor(options: SegmentCompressorOptions) {
    this.#options = options;
  }

  /** Adds a segment that is complete and on the disk. */
  add({ file, bytes }: Pick<SealedSegment, "file" | "bytes">): void {
    if (this.#state === "stopped" || isCompressed(file) || bytes < MIN_BYTES) return;
    this.#queue.push(file);
    if (this.#running === null) this.#arm();
  }

  /** Removes files of a process that was killed during a compression. */
  removeLeftovers(): void {
    const { files, directory } = this.#options;
    const names = new Set(files.list(directory));
    for (const name of names) {
      const isDraft = isCompressed(name.replace(DRAFT_SUFFIX, "")) && name.endsWith(DRAFT_SUFFIX);
      const isDouble = isCompressed(name) && names.has(path.parse(name).name);
      if (isDraft || isDouble) this.#remove(path.join(directory, name));
    }
  }

  /** Nothing runs after it resolves. Waits for one block at most. */
  async stop(): Promise<void> {
    this.#state = "stopped";
    this.#queue = [];
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#running = this.#compressAll().finally(() => {
        this.#running = null;
        if (this.#queue.length > 0) this.#arm();
      });
    }, this.#options.delayMs);
    this.#timer.unref();
  }

  async #compressAll(): Promise<void> {
    for (let file = this.#queue.shift(); file !== undefined; file = this.#queue.shift()) {
      try {
        await this.#compress(file);
      } catch (error) {
        this.#options.logger.warn({ err: error, file }, "a journal segment stays uncompressed");
        this.#remove(compressedPath(file) + DRAFT_SUFFIX);
      }
    }
  }

  async #compress(file: string): Promise<void> {
    const { files, directory, hasSegment, onCompressed, logger } = this.#options;
    if (!hasSegment(file)) return;
    const target = compressedPath(file);
    const draft = target + DRAFT_SUFFIX;
    const size = await this.#writeDraft(file, draft);
    if (size === null || !hasSegment(file)) {
      this.#remove(draft);
      return;
    }
    files.rename(draft, target);
    await files.syncDirectory(directory);
    if (!hasSegment(file)) {
      this.#remove(target);
      return;
    }
    files.remove(file);
    onCompressed(file, { file: target, savedBytes: size.rawBytes - size.bytes });
    logger.debug({ file: target, ...size }, "a journal segment was compressed");
  }

  /** Returns null after a stop. */
  async #writeDraft(
    file: string,
    draft: string,
  ): Promise<{ rawBytes: number; bytes: number } | null> {
    const source = await fs.open(file, "r");
    try {
      const target = this.#options.files.create(draft);
      try {
        let bytes = 0;
        for await (const block of compressLines(source)) {
          if (this.#state === "stopped") return null;
          target.append(block);
          bytes += block.length;
        }
        // The age of the segment counts for its deletion.
        const { size: rawBytes, atime, mtime } = await source.stat();
        await fs.utimes(draft, atime, mtime);
        await target.sync();
        return { rawBytes, bytes };
      } finally {
        target.close();
      }
    } finally {
      await source.close();
    }
  }

  #remove(file: string): void {
    try {
      this.#options.files.remove(file);
    } catch {
      // Absent, or the next start removes it.
    }
  }
}
