import { RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "./button.tsx";
import { classNames } from "./class-names.ts";
import { CopyIconButton } from "./copy-button.tsx";

/** Placeholder for loading content. Visible only after a noticeable wait. */
export function Skeleton({ className }: { className?: string }) {
  return (
    <span
      aria-hidden="true"
      className={classNames("after-a-moment shimmer block h-4 rounded-sm", className)}
    />
  );
}

/** Placeholder for loading rows. */
export function SkeletonRows({ rows = 6 }: { rows?: number }) {
  return (
    <div role="status" className="divide-y divide-line border-y border-line">
      <span className="sr-only">Loading…</span>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: these rows have no other id.
        <div key={row} className="flex h-12 items-center gap-8">
          <Skeleton className="w-1/4" />
          <Skeleton className="w-1/6" />
          <Skeleton className="ml-auto w-16" />
        </div>
      ))}
    </div>
  );
}

interface EmptyStateProps {
  title: string;
  /** One sentence about the purpose. */
  children: ReactNode;
  action?: ReactNode;
  /** Example that does the same without the console. */
  code?: ReactNode;
}

export function EmptyState({ title, children, action, code }: EmptyStateProps) {
  return (
    <div className="border-y border-line py-12">
      <div className="mx-auto grid max-w-xl gap-5 text-center">
        <div className="grid gap-1.5">
          <h2 className="font-serif text-xl font-[540]">{title}</h2>
          <p className="text-quiet">{children}</p>
        </div>
        {action && <div className="flex flex-wrap justify-center gap-3">{action}</div>}
        {code && <div className="text-left">{code}</div>}
      </div>
    </div>
  );
}

/** The server's error message, with the request id for its log. */
export function ErrorState({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  return (
    <div role="alert" className="border-y border-line py-10">
      <div className="mx-auto grid max-w-xl justify-items-center gap-3 text-center">
        <p className="font-medium">{error.message}</p>
        <RequestId error={error} />
        {onRetry && (
          <Button onClick={onRetry}>
            <RotateCw size={15} /> Try again
          </Button>
        )}
      </div>
    </div>
  );
}

/** Error message above the buttons of a form. */
export function FormError({ error }: { error: Error | null | undefined }) {
  if (!error) return null;
  return (
    <div role="alert" className="rounded-md bg-bad-wash px-3 py-2 text-sm text-bad">
      <p>{error.message}</p>
      <RequestId error={error} />
    </div>
  );
}

function RequestId({ error }: { error: Error }) {
  const requestId = requestIdOf(error);
  if (requestId === null) return null;
  return (
    <p className="flex items-center gap-1 text-xs text-quiet">
      Request id <code>{requestId}</code>
      <CopyIconButton text={requestId} what="request id" />
    </p>
  );
}

/** Request id of a refusal. Null for other errors. */
function requestIdOf(error: Error): string | null {
  return "requestId" in error && typeof error.requestId === "string" ? error.requestId : null;
}
