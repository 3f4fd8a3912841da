import { Duplex } from "node:stream";

/** Connection in memory. `push` delivers bytes to its reader, and `push(null)` ends them. Written bytes are dropped. */
export class MemorySocket extends Duplex {
  writtenBytes = 0;

  constructor() {
    super({ allowHalfOpen: true, autoDestroy: false });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.writtenBytes += chunk.length;
    callback();
  }

  setTimeout(): this {
    return this;
  }
}
