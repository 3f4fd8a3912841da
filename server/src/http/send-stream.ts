import { Readable } from "node:stream";
import type { StreamedAnswer } from "@bursar/contract/route.ts";
import type { FastifyReply } from "fastify";

export interface StreamDeps {
  /** Resolves when the next piece may be made. */
  waitForTurn: () => Promise<void>;
  onError: (error: unknown) => void;
}

/**
 * Sends pieces as the client reads them. Each piece is created after the previous one was sent, in its own turn. An error
 * closes the connection, so that the client notices the partial file. `onError` receives the error.
 */
export function sendStream(
  reply: FastifyReply,
  answer: StreamedAnswer,
  deps: StreamDeps,
): FastifyReply {
  reply
    .type(answer.mediaType === "text/csv" ? "text/csv; charset=utf-8" : answer.mediaType)
    .header("content-disposition", `attachment; filename="${answer.fileName}"`);
  if (reply.request.method === "HEAD") return reply.send("");
  return reply.send(Readable.from(sendInTurn(answer.pieces, deps)));
}

async function* sendInTurn(
  pieces: AsyncIterable<string>,
  { waitForTurn, onError }: StreamDeps,
): AsyncGenerator<Buffer> {
  try {
    for await (const piece of pieces) {
      yield Buffer.from(piece);
      await waitForTurn();
    }
  } catch (error) {
    onError(error);
    throw error;
  }
}
