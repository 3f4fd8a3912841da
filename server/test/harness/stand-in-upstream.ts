import { HeaderFields } from "#src/lib/header-fields.ts";
import type { HttpCallHandler, StreamedClient, StreamedRequest } from "#src/lib/http-client.ts";
import type { Upstream } from "#src/upstreams/upstream.ts";
import { UpstreamHealth } from "#src/upstreams/upstream-health.ts";

/** An answer of the stand-in. An error: no answer. */
export type StandInAnswer = { status: number; body: object } | Error;

/** An upstream in this process, for calls of the Admin API about stored objects. */
export interface StandInUpstream extends Upstream {
  /** Method and path of each request. */
  readonly received: string[];
  /** Answers from now on. Default: it deletes every object, and cancels every batch. */
  answer: (request: StreamedRequest) => StandInAnswer;
  /** Forgets the requests and the answers of an earlier test. */
  reset(): void;
}

/** Makes an upstream with the id of the simulator. */
export function makeStandInUpstream(): StandInUpstream {
  const received: string[] = [];
  const upstream: StandInUpstream = {
    id: "simulator",
    kind: "simulator",
    describe: { origin: "simulator", source: "simulator" },
    client: { ...closable, send: refuseMessage },
    objects: { ...closable, send: answerObject },
    basePath: "",
    credential: "credential-of-the-stand-in",
    testModel: null,
    priceTerms: null,
    health: new UpstreamHealth(),
    received,
    answer: answerChange,
    reset() {
      received.length = 0;
      upstream.answer = answerChange;
    },
  };
  function answerObject(request: StreamedRequest, handler: HttpCallHandler): void {
    received.push(`${request.method} ${request.path}`);
    const controller = { pause: () => undefined, resume: () => undefined, abort: () => undefined };
    const answered = upstream.answer(request);
    if (answered instanceof Error) {
      handler.onResponseError(null, answered);
      return;
    }
    handler.onRequestStart(controller);
    handler.onRequestSent();
    const fields = HeaderFields.fromList(["content-type", "application/json"]);
    handler.onResponseStart(controller, answered.status, fields);
    handler.onResponseData(controller, Buffer.from(JSON.stringify(answered.body)));
    handler.onResponseEnd();
  }
  return upstream;
}

const closable: Omit<StreamedClient, "send"> = {
  isClosed: false,
  close: async () => undefined,
  destroy: async () => undefined,
};

function refuseMessage(): never {
  throw new Error("the stand-in answers no messages");
}

function answerChange({ method, path }: StreamedRequest): StandInAnswer {
  const id = path.split("/").find((part) => part.startsWith("msgbatch_")) ?? "";
  if (method === "DELETE") return { status: 200, body: { id, type: "file_deleted" } };
  return { status: 200, body: toCancelingBatch(id) };
}

/** A batch that ends soon, in the official form. */
export function toCancelingBatch(id: string): object {
  return {
    id,
    type: "message_batch",
    processing_status: "canceling",
    request_counts: { processing: 2, succeeded: 1, errored: 0, canceled: 0, expired: 0 },
    created_at: "2026-11-20T11:00:00Z",
    expires_at: "2026-11-21T11:00:00Z",
    ended_at: null,
    results_url: null,
  };
}
