// Shows progress of a long step on standard error: one changing line on a terminal, else a line every few seconds.
// Plain JavaScript for old Nodes.

const TERMINAL_INTERVAL_MS = 250;
const PLAIN_INTERVAL_MS = 10_000;

/** Shows the result of `describe` and the seconds so far. Returns a function that stops it and returns the seconds. */
export function showProgress(describe) {
  const output = process.stderr;
  const isTerminal = output.isTTY === true;
  const startedAtMs = Date.now();
  const seconds = () => Math.round((Date.now() - startedAtMs) / 1000);
  const show = () => {
    const text = `  ${describe()}${seconds()} s`;
    output.write(isTerminal ? `\r${text}\u001b[K` : `${text}\n`);
  };
  if (isTerminal) show();
  const timer = setInterval(show, isTerminal ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    if (isTerminal) output.write("\r\u001b[K");
    return seconds();
  };
}
