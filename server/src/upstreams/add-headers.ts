import { FieldLines } from "#src/lib/field-lines.ts";
import type { HttpCallHandler, HttpClient } from "#src/lib/http-client.ts";

/** A client of messages or of stored objects. */
interface SendingClient<Request> extends Omit<HttpClient, "send"> {
  send(request: Request, handler: HttpCallHandler): void;
}

/** Adds headers to each request of a client. They replace headers of the request with the same names. */
export function addHeaders<Request extends { headers: FieldLines }>(
  client: SendingClient<Request>,
  added: FieldLines,
): SendingClient<Request> {
  const names = new Set(added.toList().filter((_, index) => index % 2 === 0));
  return {
    send(request, handler) {
      const headers = new FieldLines();
      const list = request.headers.toList();
      for (let i = 0; i + 1 < list.length; i += 2) {
        const name = list[i] as string;
        if (!names.has(name)) headers.add(name, list[i + 1] as string);
      }
      headers.addLines(added);
      client.send({ ...request, headers }, handler);
    },
    get isClosed() {
      return client.isClosed;
    },
    close: () => client.close(),
    destroy: () => client.destroy(),
  };
}
