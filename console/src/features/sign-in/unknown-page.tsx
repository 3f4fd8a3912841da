import { AuthPage } from "../../kit/sign-in/auth-page.tsx";
import { ButtonLink } from "../../ui/button.tsx";

/** Page for an address below the sign-in that does not exist. */
export function UnknownPage() {
  return (
    <AuthPage title="Page not found" lead="The address is wrong, or the page was deleted.">
      <div className="flex">
        <ButtonLink to="/login" kind="primary">
          Sign in
        </ButtonLink>
      </div>
    </AuthPage>
  );
}
