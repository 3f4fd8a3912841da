import { Writable } from "node:stream";
import { CommandError, exitCodes } from "./command-error.ts";

/** Maximum size of standard input: the largest body of a call. */
const MAX_INPUT_BYTES = 64 * 1024 ** 2;

/** Input and output of a command. */
export interface Terminal {
  /** True if a person reads the output. */
  readonly isOutput: boolean;
  /** True if a person can answer questions. */
  readonly isInput: boolean;
  /** Characters in a line. */
  readonly columns: number;
  /** Prints the result: one line or several. */
  print(text: string): void;
  /** Prints a message that is not part of the result. */
  note(text: string): void;
  ask(question: string): Promise<string>;
  /** Asks without an echo of the typed text. */
  askSecret(question: string): Promise<string>;
  /** Reads all of standard input. */
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
  ask: (question) => readAnswer(process.stderr, question),
  askSecret: async (question) => {
    process.stderr.write(question);
    // The line editor writes its echo to the output, so this output discards it.
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    const answer = await readAnswer(nowhere, "");
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

async function readAnswer(output: NodeJS.WritableStream, question: string): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  const stopped = new AbortController();
  lines.once("SIGINT", () => stopped.abort());
  lines.once("close", () => stopped.abort());
  try {
    return await lines.question(question, { signal: stopped.signal });
  } catch {
    throw new CommandError("Canceled. Nothing was changed.", exitCodes.error);
  } finally {
    lines.close();
  }
}

/**
 * Replaces control characters in foreign text, so that a name or an address cannot move the cursor, set colours or
 * reverse the text direction.
 */
export function replaceControlCharacters(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are replaced
  return text.replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}
