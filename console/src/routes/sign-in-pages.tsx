import type { ComponentType } from "react";
import { CallbackPage } from "../features/sign-in/callback-page.tsx";
import { InvitePage } from "../features/sign-in/invite-page.tsx";
import { LinkPage } from "../features/sign-in/link-page.tsx";
import { LoginPage } from "../features/sign-in/login-page.tsx";
import { ResetPage } from "../features/sign-in/reset-page.tsx";
import { UnknownPage } from "../features/sign-in/unknown-page.tsx";

// Pages without a session, in a document of their own. A link from one to another loads a new document.

interface SignInPage {
  path: string;
  component: ComponentType;
}

export const signInPages: readonly SignInPage[] = [
  { path: "/login", component: LoginPage },
  { path: "/login/callback/:directoryId", component: CallbackPage },
  { path: "/login/link", component: LinkPage },
  { path: "/reset", component: ResetPage },
  { path: "/invite", component: InvitePage },
];

/** The page of this document's address. */
export function SignInPages() {
  const found = signInPages.find(({ path }) => isAt(path, location.pathname));
  const Page = found?.component ?? UnknownPage;
  return <Page />;
}

/** Compares part by part. A part with a colon stands for any text. A slash at the end means nothing. */
function isAt(path: string, pathname: string): boolean {
  const wanted = path.split("/");
  const parts = pathname.replace(/\/$/, "").split("/");
  return (
    parts.length === wanted.length &&
    wanted.every((part, index) => part.startsWith(":") || part === parts[index])
  );
}
