import { ApiError } from "../api-client.ts";
import { ButtonLink } from "../ui/button.tsx";
import { Page } from "../ui/page.tsx";
import { ErrorState } from "../ui/states.tsx";

/** An address that leads nowhere, inside the shell. */
export function NotFoundPage() {
  return (
    <Page title="There is nothing here" lead="The address is wrong, or what stood here is gone.">
      <div className="flex">
        <ButtonLink to="/" kind="primary">
          Go to the overview
        </ButtonLink>
      </div>
    </Page>
  );
}

/** What this person may not see: who can help is said, what is hidden is not. */
function ForbiddenPage({ message }: { message: string }) {
  return (
    <Page title="This is not yours to see" lead={message}>
      <p className="max-w-xl text-quiet">
        An owner or an admin of your company can give you a role that includes it. Owners and admins
        are listed on the Team page.
      </p>
      <div className="flex">
        <ButtonLink to="/">Go to the overview</ButtonLink>
      </div>
    </Page>
  );
}

/** What stands in a page's place when its data did not come. */
export function LoadError({ error, onRetry }: { error: Error; onRetry: () => void }) {
  if (error instanceof ApiError && error.status === 403) {
    return <ForbiddenPage message={error.message} />;
  }
  if (error instanceof ApiError && error.status === 404) return <NotFoundPage />;
  return <ErrorState error={error} onRetry={onRetry} />;
}
