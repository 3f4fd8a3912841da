import type { Client } from "./write-code.ts";

/** A tab of the page Connect. */
export interface ClientPage {
  label: string;
  /** Last part of the address below /connect. Null: the first tab, the sign-in of Claude Code. */
  name: string | null;
  /** Null: Claude Code with a sign-in, which needs no code. */
  client: Client | null;
}

/** Tabs of the page Connect, in order. */
export const clientPages: readonly ClientPage[] = [
  { label: "Claude Code", name: null, client: null },
  { label: "Claude Code with a key", name: "key", client: "Claude Code" },
  { label: "Python", name: "python", client: "Python" },
  { label: "TypeScript", name: "typescript", client: "TypeScript" },
  { label: "curl", name: "curl", client: "curl" },
  { label: "Vercel AI", name: "vercel-ai", client: "Vercel AI" },
  { label: "LangChain", name: "langchain", client: "LangChain" },
  { label: "LangChain.js", name: "langchain-js", client: "LangChain.js" },
];

/** Address of a tab. */
export function findClientAddress({ name }: ClientPage): string {
  return name === null ? "/connect" : `/connect/${name}`;
}
