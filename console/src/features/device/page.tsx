import { useSearch } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useApi } from "../../queries.ts";
import { Button, ButtonLink } from "../../ui/button.tsx";
import { Page } from "../../ui/page.tsx";
import { ErrorState, SkeletonRows } from "../../ui/states.tsx";
import { CodeForm } from "./code-form.tsx";
import { Decision } from "./decision.tsx";
import { findWaitSeconds, isEndedCode } from "./queries.ts";
import type { DeviceSearch } from "./search.ts";
import { TooManyCodes } from "./too-many-codes.tsx";

const SECOND_MS = 1000;

type Result = { kind: "approved"; name: string } | { kind: "denied" } | { kind: "ended" };

/** Approval of a sign-in of Claude Code, by the code that it shows. The member sends the code, never the page. */
export function DevicePage() {
  const { code = "" }: DeviceSearch = useSearch({ strict: false });
  const [entered, setEntered] = useState(code);
  const [checked, setChecked] = useState<string | null>(null);
  const [result, setResult] = useState<Result | null>(null);
  const restart = (next = "") => {
    setEntered(next);
    setChecked(null);
    setResult(null);
  };
  if (result !== null) return <ResultPage result={result} onRestart={restart} />;
  if (checked !== null) {
    return <CheckedCode code={checked} onResult={setResult} onRestart={restart} />;
  }
  return (
    <SignInPage>
      <CodeForm code={entered} onCheck={setChecked} />
    </SignInPage>
  );
}

function SignInPage({ children }: { children: ReactNode }) {
  return (
    <Page
      title="Sign in Claude Code"
      guide="claude-code-sign-in"
      lead="Claude Code in a terminal asks to use your account. Continue only if you started it."
    >
      <div className="grid max-w-xl gap-8">{children}</div>
    </Page>
  );
}

interface CheckedProps {
  code: string;
  onResult: (result: Result) => void;
  /** Shows the form with this code, or without one. */
  onRestart: (code?: string) => void;
}

function CheckedCode({ code, onResult, onRestart }: CheckedProps) {
  const asked = useApi("getDeviceAuthorization", { params: { user_code: code } });
  const { error } = asked;
  const waitSeconds = findWaitSeconds(error);
  if (waitSeconds !== null) {
    const untilMs = asked.errorUpdatedAt + waitSeconds * SECOND_MS;
    return <TooManyCodes untilMs={untilMs} onRestart={() => onRestart(code)} />;
  }
  if (isEndedCode(error)) return <EndedCodePage onRestart={onRestart} />;
  return (
    <SignInPage>
      {error ? (
        <ErrorState error={error} onRetry={() => void asked.refetch()} />
      ) : asked.data ? (
        <Decision
          asked={asked.data}
          onApproved={(name) => onResult({ kind: "approved", name })}
          onDenied={() => onResult({ kind: "denied" })}
          onEnded={() => onResult({ kind: "ended" })}
        />
      ) : (
        <SkeletonRows rows={4} />
      )}
    </SignInPage>
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
      return <EndedCodePage onRestart={onRestart} />;
  }
}

function EndPage({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  return (
    <Page title={title} lead={lead}>
      <div className="grid max-w-xl gap-6 text-sm">{children}</div>
    </Page>
  );
}

function EndedCodePage({ onRestart }: { onRestart: () => void }) {
  return (
    <EndPage
      title="This code cannot be used"
      lead="Start the sign-in in Claude Code again to get a new code."
    >
      <p>
        The code is mistyped, older than ten minutes, approved or denied already, or open in another
        browser.
      </p>
      <div>
        <Button onClick={() => onRestart()}>Enter another code</Button>
      </div>
    </EndPage>
  );
}
