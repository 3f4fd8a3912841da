import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// sun_path has 104 bytes on macOS and 108 on Linux, including the terminator.
const LONGEST_SOCKET_PATH = 103;

/**
 * Path of a Unix socket for `directory`, inside it. If that path is too long for the system, the socket is in a private
 * folder below the temporary directory. The name is derived from `directory`, so every program computes the same one. On
 * Windows, a named pipe. Throws if another user owns the private folder.
 */
export function getSocketPath(directory: string, name: string): string {
  const digest = createHash("sha256").update(directory).digest("hex").slice(0, 16);
  if (process.platform === "win32") return `\\\\.\\pipe\\bursar-${digest}-${name}`;
  const inside = join(directory, name);
  if (Buffer.byteLength(inside) <= LONGEST_SOCKET_PATH) return inside;
  const uid = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `bursar-${uid}-${digest}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const status = lstatSync(folder);
  if (!status.isDirectory() || status.uid !== uid) {
    throw new Error(
      `${folder} belongs to another user. Remove it, or use a data folder with a shorter path.`,
    );
  }
  chmodSync(folder, 0o700);
  return join(folder, name);
}

/** Socket name: `simulator.sock` for the first process of a folder, `simulator-2.sock` for the second. */
export function socketName(name: string, index: number): string {
  return index === 1 ? `${name}.sock` : `${name}-${index}.sock`;
}
