import { Readable } from "node:stream";
import type { StreamedAnswer } from "@bursar/contract/route.ts";
import type { FastifyReply } from "fastify";

/**
 * Sends pieces as the client takes them; one is made when the one before has gone. An error in the middle cuts the
 * connection, so that half a file is not taken for a whole one; `onError` hears of it.
 */
export function sendStream(
  reply: FastifyReply,
  answer: StreamedAnswer,
  onError: (error: unknown) => void,
): FastifyReply {
  reply
    .type(answer.mediaType === "text/csv" ? "text/csv; charset=utf-8" : answer.mediaType)
    .header("content-disposition", `attachment; filename="${answer.fileName}"`);
  if (reply.request.method === "HEAD") return reply.send("");
  return reply.send(Readable.from(reporting(answer.pieces, onError)));
}

async function* reporting(
  pieces: AsyncIterable<string>,
  onError: (error: unknown) => void,
): AsyncGenerator<Buffer> {
  try {
    for await (const piece of pieces) yield Buffer.from(piece);
  } catch (error) {
    onError(error);
    throw error;
  }
}
