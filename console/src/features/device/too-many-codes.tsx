import { useEffect, useState } from "react";
import { Button } from "../../ui/button.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Page } from "../../ui/page.tsx";

const SECOND_MS = 1000;

interface TooManyProps {
  /** Time of the next possible attempt, milliseconds. */
  untilMs: number;
  onRestart: () => void;
}

/** Page after too many wrong codes. The next attempt is possible when the wait has ended. */
export function TooManyCodes({ untilMs, onRestart }: TooManyProps) {
  const seconds = useSecondsUntil(untilMs);
  return (
    <Page
      title="Too many wrong codes"
      lead="Your account or your network sent too many codes that were wrong or had ended."
    >
      <div className="grid max-w-xl gap-6 text-sm">
        <p>
          {seconds > 0
            ? `You can enter the next code in ${formatPlural(seconds, "second")}.`
            : "You can enter a code now."}{" "}
          Each minute allows one more attempt, so that strangers cannot guess a code.
        </p>
        <p className="text-quiet">
          A code works for ten minutes. If yours has ended, start the sign-in in Claude Code again.
        </p>
        <div>
          <Button kind="primary" disabled={seconds > 0} onClick={onRestart}>
            Enter code
          </Button>
        </div>
      </div>
    </Page>
  );
}

/** Remaining whole seconds. Counts down to 0. */
function useSecondsUntil(untilMs: number): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  const seconds = Math.max(0, Math.ceil((untilMs - nowMs) / SECOND_MS));
  useEffect(() => {
    if (seconds === 0) return;
    const timer = setTimeout(() => setNowMs(Date.now()), SECOND_MS);
    return () => clearTimeout(timer);
  });
  return seconds;
}
