import { expect } from "vitest";
import { type Access, runClaudeCode } from "./run-client.ts";

interface Line {
  type: string;
  subtype?: string;
  is_error?: boolean;
  result?: string;
  message?: { content: { type: string; name?: string; content?: unknown; is_error?: boolean }[] };
}

/** Runs a turn of Claude Code, whose server calls the tool Bash once and repeats its result. */
export async function expectToolTurn(access: Access): Promise<void> {
  const args = ["Hello", "--output-format", "stream-json", "--verbose"];
  const { folder, stdout, stderr, code } = await runClaudeCode(access, args);
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
  const blocks = lines.flatMap(({ message }) => message?.content ?? []);
  expect(blocks, stderr).toContainEqual(
    expect.objectContaining({ type: "tool_use", name: "Bash" }),
  );
  expect(blocks).toContainEqual(
    expect.objectContaining({ type: "tool_result", content: folder, is_error: false }),
  );
  expect(lines.at(-1)).toMatchObject({ type: "result", subtype: "success", is_error: false });
  expect(lines.at(-1)?.result).toContain(`The tool returned: ${folder}`);
  expect(code).toBe(0);
}
