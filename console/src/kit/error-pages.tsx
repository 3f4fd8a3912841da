import { ApiError } from "../api-client.ts";
import { useSession } from "../session.ts";
import { ButtonLink } from "../ui/button.tsx";
import { Page } from "../ui/page.tsx";
import { ErrorState } from "../ui/states.tsx";
import { ContactList } from "./contact-list.tsx";

/** Page for an unknown address, inside the shell. */
export function NotFoundPage() {
  return (
    <Page title="Page not found" lead="The address is wrong, or the page was deleted.">
      <div className="flex">
        <ButtonLink to="/" kind="primary">
          Go to overview
        </ButtonLink>
      </div>
    </Page>
  );
}

/** Page for a member without access. Lists the administrators, and nothing about the hidden resource. */
function ForbiddenPage({ message }: { message: string }) {
  const { administrators, member } = useSession();
  const others = administrators.filter(({ email }) => email !== member.email);
  return (
    <Page title="You don’t have access to this page" lead={message}>
      {others.length > 0 && (
        <div className="grid max-w-xl gap-3">
          <p className="text-quiet">These members can assign a role with access:</p>
          <ContactList people={others} />
        </div>
      )}
      <div className="flex">
        <ButtonLink to="/">Go to overview</ButtonLink>
      </div>
    </Page>
  );
}

/** Replaces a page whose data could not be loaded. */
export function LoadError({ error, onRetry }: { error: Error; onRetry: () => void }) {
  if (error instanceof ApiError && error.status === 403) {
    return <ForbiddenPage message={error.message} />;
  }
  if (error instanceof ApiError && error.status === 404) return <NotFoundPage />;
  return <ErrorState error={error} onRetry={onRetry} />;
}
