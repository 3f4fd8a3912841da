import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { noTokens } from "#src/domain/usage.ts";
import { type FakeUpstream, type Script, startFakeUpstream } from "./fake-upstream.ts";
import {
  messageBody,
  startTestGateway,
  type TestGateway,
  type TestGatewayOptions,
  withKey,
} from "./gateway.ts";

// A gateway and a fake upstream for one test, and calls through both.

/** Starts a fake upstream, until the end of the test. */
export async function openUpstream(): Promise<FakeUpstream> {
  const upstream = await startFakeUpstream();
  onTestFinished(upstream.close);
  return upstream;
}

/** Starts a gateway, until the end of the test. */
export async function openGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const gateway = await startTestGateway(options);
  onTestFinished(gateway.close);
  return gateway;
}

/** Starts a gateway in front of a fake upstream, which follows the script. */
export async function startBoth({
  script,
  ...options
}: Partial<TestGatewayOptions> & { script?: Script } = {}): Promise<{
  upstream: FakeUpstream;
  gateway: TestGateway;
}> {
  const upstream = await openUpstream();
  if (script) upstream.script = script;
  const gateway = await openGateway({ origin: upstream.origin, ...options });
  return { upstream, gateway };
}

/** A request for a message with a key. */
export const post = (gateway: TestGateway, fields: object = {}) => ({
  headers: withKey(gateway.secret),
  body: messageBody(fields),
});

/** Reads the response until it ends or breaks. */
export async function readAll(
  response: IncomingMessage,
): Promise<{ text: string; isWhole: boolean }> {
  let text = "";
  try {
    for await (const chunk of response) text += String(chunk);
    return { text, isWhole: response.complete };
  } catch {
    return { text, isWhole: false };
  }
}

/** Usage of these tokens. */
export const usageOf = (inputTokens: number, outputTokens: number) => ({
  ...noTokens,
  inputTokens,
  outputTokens,
});

/** Bound of the prompt of the smallest request by its bytes. */
export const INPUT_BOUND = messageBody().length + 2_048;

/** Cost in nano-USD: claude-sonnet-4-5 has $3 per million input tokens, and $15 per million output tokens. */
export const cost = (input: number, output: number) => BigInt(input * 3_000 + output * 15_000);

/** Formats a request line with a key, and then `rest`: more headers and a body. */
export function connectRaw(gateway: TestGateway, rest: string, secret = gateway.secret): Socket {
  const socket = connect(gateway.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(`POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nx-api-key: ${secret}\r\n${rest}`);
  return socket;
}

/** Sends and reads until the gateway closes the connection. */
export async function sendRaw(
  gateway: TestGateway,
  rest: string,
  secret?: string,
): Promise<{ text: string }> {
  const socket = connectRaw(gateway, rest, secret);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return { text };
}

/** Waits until this number of requests runs. */
export async function untilRunning(gateway: TestGateway, count: number): Promise<void> {
  while (gateway.gateway.stats().inFlight !== count) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
