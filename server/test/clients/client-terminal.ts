import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";

// A program in a pseudo-terminal: a test types, and waits for text on the screen.

const COLUMNS = 120;
const ROWS = 50;
/** Catches hangs. */
const TEXT_MS = 90_000;
const END_MS = 20_000;
const PRESS_AGAIN_MS = 2_000;

/** Keys as a terminal sends them. */
export const keys = {
  enter: "\r",
  escape: "\x1b",
  down: "\x1b[B",
  up: "\x1b[A",
  interrupt: "\x03",
} as const;

export interface ClientTerminal {
  type(text: string): void;
  /** Lines of the screen without trailing spaces. Every space is an ordinary one. */
  screen(): string;
  /** Resolves with the screen once it has the text. Rejects with the screen after half a minute, or when the program ends. */
  waitFor(text: string | RegExp): Promise<string>;
  /** Presses a key, again every two seconds, until the screen has the text. A new dialog can miss the first press. */
  pressUntil(key: string, text: string | RegExp): Promise<string>;
  /** Resolves with the exit code when the program has ended. Null after a signal. */
  ended: Promise<number | null>;
  /** Ends the program, and resolves when it has ended. */
  close(): Promise<void>;
}

/** The part of @xterm/headless in use. */
interface Emulator {
  write(bytes: Uint8Array, onWritten?: () => void): void;
  buffer: {
    active: {
      baseY: number;
      length: number;
      getLine(y: number): { translateToString(isTrimmed: boolean): string } | undefined;
    };
  };
}

/** Starts a command. `packages`: folder with the terminal emulator. */
export function openTerminal(of: {
  packages: string;
  command: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
}): ClientTerminal {
  const emulator = makeEmulator(of.packages);
  const script = join(import.meta.dirname, "terminal.py");
  const args = [script, String(COLUMNS), String(ROWS), ...of.command];
  const child: ChildProcessWithoutNullStreams = spawn("python3", args, {
    cwd: of.cwd,
    env: { ...of.env, TERM: "xterm-256color" },
  });
  const errors: Buffer[] = [];
  const waiting = new Set<() => void>();
  let isEnded = false;
  const check = () => {
    for (const each of waiting) each();
  };
  child.stdout.on("data", (bytes: Buffer) => emulator.write(bytes, check));
  child.stderr.on("data", (bytes: Buffer) => errors.push(bytes));
  child.stdin.on("error", () => undefined);
  const ended = once(child, "close").then(([code]: unknown[]) => {
    isEnded = true;
    emulator.write(Buffer.alloc(0), check);
    return code as number | null;
  });

  const screen = () => readScreen(emulator);
  const type = (text: string) => void child.stdin.write(text);

  function waitFor(text: string | RegExp): Promise<string> {
    const failure = (reason: string) =>
      new Error(`${reason} before ${text}:\n${screen()}\n${Buffer.concat(errors).toString()}`);
    return new Promise((resolve, reject) => {
      const finish = (end: () => void) => {
        waiting.delete(look);
        clearTimeout(timer);
        end();
      };
      const look = () => {
        const shown = screen();
        if (isShown(shown, text)) finish(() => resolve(shown));
        else if (isEnded) finish(() => reject(failure("The program ended")));
      };
      const timer = setTimeout(() => finish(() => reject(failure("Time is over"))), TEXT_MS);
      waiting.add(look);
      look();
    });
  }

  return {
    type,
    screen,
    waitFor,
    async pressUntil(key, text) {
      type(key);
      const again = setInterval(() => type(key), PRESS_AGAIN_MS);
      return waitFor(text).finally(() => clearInterval(again));
    },
    ended,
    async close() {
      const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
      if (!isEnded) child.kill();
      await ended;
      clearTimeout(timer);
    },
  };
}

function makeEmulator(packages: string): Emulator {
  const load = createRequire(join(packages, "package.json"));
  const { Terminal } = load("@xterm/headless") as {
    Terminal: new (options: object) => Emulator;
  };
  return new Terminal({ cols: COLUMNS, rows: ROWS, scrollback: 1_000, allowProposedApi: true });
}

function readScreen({ buffer: { active } }: Emulator): string {
  return Array.from(
    { length: active.length - active.baseY },
    (_, y) => active.getLine(active.baseY + y)?.translateToString(true) ?? "",
  )
    .join("\n")
    .replaceAll("\u00a0", " ")
    .trimEnd();
}

function isShown(screen: string, text: string | RegExp): boolean {
  return typeof text === "string" ? screen.includes(text) : text.test(screen);
}
