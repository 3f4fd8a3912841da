import { Socket } from "node:net";

/** Connection in memory. `push` delivers bytes to its reader, and `push(null)` ends them. Written bytes are counted. */
export class MemorySocket extends Socket {
  writtenBytes = 0;

  constructor() {
    super({ allowHalfOpen: true });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.writtenBytes += chunk.length;
    callback();
  }

  override _writev(chunks: readonly { chunk: Buffer }[], callback: () => void): void {
    for (const { chunk } of chunks) this.writtenBytes += chunk.length;
    callback();
  }

  override _final(callback: () => void): void {
    callback();
  }
}
