import { Readable } from "node:stream";
import type { StreamedAnswer } from "@bursar/contract/route.ts";
import type { FastifyReply } from "fastify";
import { waitForNextTurn } from "#src/lib/slices.ts";

/**
 * Sends pieces as the client reads them. Each piece is created after the previous one was sent, in a later turn of
 * the event loop. An error closes the
 * connection, so that the client notices the partial file. `onError` receives the error.
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
  return reply.send(Readable.from(reportErrors(answer.pieces, onError)));
}

async function* reportErrors(
  pieces: AsyncIterable<string>,
  onError: (error: unknown) => void,
): AsyncGenerator<Buffer> {
  try {
    for await (const piece of pieces) {
      yield Buffer.from(piece);
      await waitForNextTurn();
    }
  } catch (error) {
    onError(error);
    throw error;
  }
}
