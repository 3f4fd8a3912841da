import { useSearch } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useApi } from "../../queries.ts";
import { ButtonLink } from "../../ui/button.tsx";
import { Page } from "../../ui/page.tsx";
import { ErrorState, SkeletonRows } from "../../ui/states.tsx";
import { CodeForm } from "./code-form.tsx";
import { Decision } from "./decision.tsx";
import { isEndedCode } from "./queries.ts";
import type { DeviceSearch } from "./search.ts";

type Result = { kind: "approved"; name: string } | { kind: "denied" } | { kind: "ended" };

/** Approval of a sign-in of Claude Code, by the code that it shows. The member sends the code, never the page. */
export function DevicePage() {
  const { code = "" }: DeviceSearch = useSearch({ strict: false });
  const [checked, setChecked] = useState<string | null>(null);
  const [result, setResult] = useState<Result | null>(null);
  const restart = () => {
    setChecked(null);
    setResult(null);
  };
  if (result !== null) return <ResultPage result={result} onRestart={restart} />;
  return (
    <Page
      title="Sign in Claude Code"
      lead="Claude Code in a terminal asks to use your account. Continue only if you started it."
    >
      <div className="grid max-w-xl gap-8">
        {checked === null ? (
          <CodeForm code={code} onCheck={setChecked} />
        ) : (
          <CheckedCode code={checked} onResult={setResult} onRestart={restart} />
        )}
      </div>
    </Page>
  );
}

interface CheckedProps {
  code: string;
  onResult: (result: Result) => void;
  onRestart: () => void;
}

function CheckedCode({ code, onResult, onRestart }: CheckedProps) {
  const asked = useApi("getDeviceAuthorization", { params: { user_code: code } });
  const { error } = asked;
  if (error) {
    return isEndedCode(error) ? (
      <EndedCode onRestart={onRestart} />
    ) : (
      <ErrorState error={error} onRetry={() => void asked.refetch()} />
    );
  }
  if (!asked.data) return <SkeletonRows rows={4} />;
  return (
    <Decision
      asked={asked.data}
      onApproved={(name) => onResult({ kind: "approved", name })}
      onDenied={() => onResult({ kind: "denied" })}
      onEnded={() => onResult({ kind: "ended" })}
    />
  );
}

function ResultPage({ result, onRestart }: { result: Result; onRestart: () => void }) {
  switch (result.kind) {
    case "approved":
      return (
        <EndPage title="Return to your terminal" lead={`${result.name} is approved.`}>
          <p>Claude Code continues there within a few seconds. You can close this page.</p>
          <div>
            <ButtonLink to="/account">Show your laptops</ButtonLink>
          </div>
        </EndPage>
      );
    case "denied":
      return (
        <EndPage title="Sign-in denied" lead="Claude Code got no access.">
          <p>
            If you did not start the sign-in, someone sent you its code. Tell an administrator of
            your company.
          </p>
        </EndPage>
      );
    case "ended":
      return (
        <Page title="Sign in Claude Code">
          <div className="grid max-w-xl gap-8">
            <EndedCode onRestart={onRestart} />
          </div>
        </Page>
      );
  }
}

function EndPage({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  return (
    <Page title={title} lead={lead}>
      <div className="grid max-w-xl gap-6 text-sm">{children}</div>
    </Page>
  );
}

function EndedCode({ onRestart }: { onRestart: () => void }) {
  return (
    <div role="alert" className="grid gap-3 border-y border-line py-8">
      <h2>This code cannot be used</h2>
      <p className="text-sm text-quiet">
        The code is mistyped, older than ten minutes, approved or denied already, or open in another
        browser.
      </p>
      <p className="text-sm">Start the sign-in in Claude Code again to get a new code.</p>
      <div>
        <button type="button" className="link text-sm" onClick={onRestart}>
          Enter another code
        </button>
      </div>
    </div>
  );
}
