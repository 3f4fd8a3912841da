import type { Client } from "./write-code.ts";

/** A tab of the page Connect. */
export interface ClientPage {
  label: string;
  /** Last part of the address below /connect. Null: the first tab, the sign-in of Claude Code. */
  name: string | null;
  /** Clients in the order of their segments. Null: Claude Code with a sign-in, which needs no code. */
  clients: readonly [Client, ...Client[]] | null;
}

/** Tabs of the page Connect, in order. */
export const clientPages: readonly ClientPage[] = [
  { label: "Claude Code", name: null, clients: null },
  { label: "Claude Code with a key", name: "key", clients: ["Claude Code"] },
  { label: "Python", name: "python", clients: ["Python"] },
  { label: "TypeScript", name: "typescript", clients: ["TypeScript"] },
  { label: "curl", name: "curl", clients: ["curl"] },
  { label: "Vercel AI", name: "vercel-ai", clients: ["Vercel AI"] },
  { label: "LangChain", name: "langchain", clients: ["LangChain"] },
  { label: "LangChain.js", name: "langchain-js", clients: ["LangChain.js"] },
  { label: "OpenAI", name: "openai", clients: ["OpenAI Python", "OpenAI TypeScript"] },
  {
    label: "Bedrock",
    name: "bedrock",
    clients: ["Claude Code in Bedrock mode", "Python in Bedrock mode"],
  },
  {
    label: "Vertex",
    name: "vertex",
    clients: ["Claude Code in Vertex mode", "Python in Vertex mode"],
  },
];

/** Address of a tab. */
export function findClientAddress({ name }: ClientPage): string {
  return name === null ? "/connect" : `/connect/${name}`;
}
