import { useState } from "react";
import { CodeBlock } from "../../ui/code-block.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { type KeyStore, keyStores, writeSettings } from "./key-store.ts";

const names = Object.keys(keyStores) as KeyStore[];

/** Way to use a key with Claude Code without a variable: the system stores it. */
export function KeyStoreSample({ baseUrl }: { baseUrl: string }) {
  const [store, setStore] = useState<KeyStore>(
    navigator.userAgent.includes("Mac OS") ? "macOS" : "Linux",
  );
  return (
    <div className="grid gap-3">
      <div>
        <Segments
          label="System"
          value={store}
          options={names.map((each) => [each, each])}
          onChange={setStore}
        />
      </div>
      <p className="text-sm text-quiet">In a terminal. The command asks for the key.</p>
      <CodeBlock what="command" text={keyStores[store].store} />
      <p className="text-sm text-quiet">~/.claude/settings.json, for every session</p>
      <CodeBlock what="settings" text={writeSettings(store, baseUrl)} />
    </div>
  );
}
