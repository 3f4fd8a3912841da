import { Writable } from "node:stream";
import { CommandError, exitCodes } from "./command-error.ts";

/** Of what is piped in: what the largest body of a call may have. */
const MAX_INPUT_BYTES = 64 * 1024 ** 2;

/** Where a command talks to whoever runs it. */
export interface Terminal {
  /** Answers are read by a person. */
  readonly isOutput: boolean;
  /** Somebody can be asked. */
  readonly isInput: boolean;
  /** Characters of a line. */
  readonly columns: number;
  /** The answer: a line or several. */
  print(text: string): void;
  /** What is not the answer. */
  note(text: string): void;
  ask(question: string): Promise<string>;
  /** Without showing what is typed. */
  askSecret(question: string): Promise<string>;
  /** All that is piped in. */
  readInput(): Promise<string>;
}

const WIDTH = 80;

export const terminal: Terminal = {
  isOutput: process.stdout.isTTY === true,
  isInput: process.stdin.isTTY === true && process.stderr.isTTY === true,
  columns: process.stdout.columns || WIDTH,
  print: (text) => {
    process.stdout.write(`${text}\n`);
  },
  note: (text) => {
    process.stderr.write(`${text}\n`);
  },
  ask: (question) => askOn(process.stderr, question),
  askSecret: async (question) => {
    process.stderr.write(question);
    // The echo of a line that is edited goes to the output: one that swallows it.
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    const answer = await askOn(nowhere, "");
    process.stderr.write("\n");
    return answer;
  },
  readInput: async () => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of process.stdin) {
      bytes += (chunk as Buffer).length;
      if (bytes > MAX_INPUT_BYTES)
        throw new CommandError("The input is too large.", exitCodes.usage);
      chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks).toString("utf8");
  },
};

async function askOn(output: NodeJS.WritableStream, question: string): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  const stopped = new AbortController();
  lines.once("SIGINT", () => stopped.abort());
  lines.once("close", () => stopped.abort());
  try {
    return await lines.question(question, { signal: stopped.signal });
  } catch {
    throw new CommandError("Stopped: nothing was changed.", exitCodes.error);
  } finally {
    lines.close();
  }
}

/**
 * Text of others on a terminal: without what moves its cursor, colours it or turns text around, so that nobody's name or
 * address can act on the screen of whoever looks at it.
 */
export function showable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}
