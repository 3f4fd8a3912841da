import { useState } from "react";
import { CodeBlock } from "../../ui/code-block.tsx";
import { Segments } from "../../ui/tabs.tsx";
import type { MessageRequest } from "./message-request.ts";
import { codeFor, type Language, languages } from "./write-code.ts";

export function CodeSamples({ request }: { request: MessageRequest }) {
  const [language, setLanguage] = useState<Language>("curl");
  return (
    <div className="grid gap-3">
      <div>
        <Segments
          label="Language"
          value={language}
          options={languages.map((each) => [each, each])}
          onChange={setLanguage}
        />
      </div>
      <CodeBlock what="code" text={codeFor(language, location.origin, request)} />
    </div>
  );
}
