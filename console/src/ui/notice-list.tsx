import { useEffect, useState } from "react";
import { useObservable } from "../observable.ts";
import { Button, Spinner } from "./button.tsx";
import { type Notice, notices } from "./toast.ts";

const TICK_MS = 250;

/** Notices that stay, each with its countdown and its buttons. */
export function NoticeList() {
  return useObservable(notices).map((notice) => <NoticeLine key={notice.id} notice={notice} />);
}

function NoticeLine({ notice }: { notice: Notice }) {
  const { title, description, endsAtMs, actions } = notice;
  return (
    <div className="flex flex-wrap items-center justify-end gap-3 rounded-lg border border-line bg-raised py-2.5 pr-2.5 pl-4 text-sm shadow-popup">
      <div className="flex-1 basis-56">
        <p className="font-medium">{title}</p>
        {description && <p className="text-quiet">{description}</p>}
      </div>
      {endsAtMs !== null && <Countdown endsAtMs={endsAtMs} />}
      {notice.isBusy && <Spinner />}
      {actions.map(({ label, hint, onSelect }) => (
        <Button key={label} onClick={onSelect} aria-label={`${label}: ${title}`} title={hint}>
          {label}
        </Button>
      ))}
    </div>
  );
}

/** Remaining seconds. Screen readers announce the notice once, so they do not read the countdown. */
function Countdown({ endsAtMs }: { endsAtMs: number }) {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((endsAtMs - nowMs) / 1_000));
  return (
    <span aria-hidden="true" className="figures w-8 text-right text-quiet">
      {seconds} s
    </span>
  );
}
