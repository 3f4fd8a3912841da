import { once } from "node:events";
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import type Anthropic from "@anthropic-ai/sdk";
import { expect } from "vitest";
import { startSimulator } from "#src/simulator/server.ts";

// The simulator on a free port, and plain HTTP calls to it.

export const hello = {
  max_tokens: 1000,
  messages: [{ role: "user" as const, content: "Hello, Claude" }],
};

export interface Got {
  status: number;
  headers: IncomingMessage["headers"];
  text: string;
}

export interface TestSimulator {
  origin: string;
  /** Sends a message. */
  send(body: object | string): ClientRequest;
  /** Sends a message. Returns its response, whose body is not read yet. */
  open(body: object | string): Promise<IncomingMessage>;
  post(body: object | string, path?: string): Promise<Got>;
  get(path: string): Promise<Got>;
  /** Sends a message that is answered with JSON. */
  message(body: object): Promise<Anthropic.Message>;
  /** The log of requests. */
  received(): Promise<{ count: number; user_ids: string[] }>;
  close(): Promise<void>;
}

export async function startTestSimulator(): Promise<TestSimulator> {
  const simulator = await startSimulator({ port: 0 });
  if (!("origin" in simulator.address)) throw new Error("a port was asked for");
  const { origin } = simulator.address;
  const send = (body: object | string, path = "/v1/messages") => {
    const request = httpRequest(`${origin}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
    });
    return request.end(typeof body === "string" ? body : JSON.stringify(body));
  };
  const open = (body: object | string, path?: string) => readHead(send(body, path));
  const post = async (body: object | string, path?: string) => read(await open(body, path));
  const get = async (path: string) => read(await readHead(httpRequest(`${origin}${path}`).end()));
  return {
    origin,
    send,
    open,
    post,
    get,
    message: async (body) => {
      const got = await post(body);
      expect(got.status).toBe(200);
      return JSON.parse(got.text);
    },
    received: async () => JSON.parse((await get("/simulator/requests")).text),
    close: () => simulator.close(),
  };
}

async function readHead(request: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}

async function read(response: IncomingMessage): Promise<Got> {
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

export function textOf(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === "text" ? block.text : "")).join("");
}

export function eventsOf(text: string): { type: string }[] {
  return [...text.matchAll(/^event: (.*)\ndata: (.*)\n\n/gm)].map(([, name, data = ""]) => {
    const event = JSON.parse(data) as { type: string };
    expect(event.type).toBe(name);
    return event;
  });
}
