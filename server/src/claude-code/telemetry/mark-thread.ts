import { parentPort } from "node:worker_threads";
import { gunzipSync } from "node:zlib";
import type { MarkAnswer, MarkQuestion } from "./export-marker.ts";
import { markJson } from "./mark-json.ts";
import { markProtobuf } from "./mark-protobuf.ts";

// The thread that marks exports. A large export takes a fifth of a second, and the main thread serves requests meanwhile.

/** Bytes of a decompressed export. */
const MAX_EXPORT_BYTES = 8 * 1024 * 1024;

parentPort?.on("message", (question: MarkQuestion) => {
  const startMs = performance.now();
  const marked = markOrNull(question);
  const answer: MarkAnswer = { marked, tookMs: performance.now() - startMs };
  parentPort?.postMessage(answer);
});

function markOrNull(question: MarkQuestion): Buffer | null {
  const { signal, contentType, isCompressed, attributes } = question;
  const body = Buffer.from(question.body.buffer, question.body.byteOffset, question.body.length);
  try {
    const bytes = isCompressed ? gunzipSync(body, { maxOutputLength: MAX_EXPORT_BYTES }) : body;
    const mark = contentType === "application/json" ? markJson : markProtobuf;
    return mark(bytes, signal, attributes);
  } catch {
    return null;
  }
}
