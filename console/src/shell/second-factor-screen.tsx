import { AuthPage } from "../kit/sign-in/auth-page.tsx";
import { Passkeys } from "../kit/sign-in/own-passkeys.tsx";
import { SecondFactor } from "../kit/sign-in/second-factor.tsx";
import { signOut, useSession } from "../session.ts";
import { Section } from "../ui/page.tsx";
import { Questions } from "./questions.tsx";

/** Screen of a member who has to set up a second factor first. `onDone` runs when the member has one. */
export function SecondFactorScreen({ onDone }: { onDone: () => void }) {
  const { member, organization } = useSession();
  return (
    <>
      <AuthPage
        title="Set up a second factor"
        lead={`${organization.name} requires a second factor for your account. Set up one of these two, and the console opens.`}
        isWide
      >
        <Section
          title="Passkey"
          lead="Your fingerprint, face or device PIN. A passkey also replaces the password at sign-in."
        >
          <Passkeys onAdded={onDone} />
        </Section>
        <Section
          title="Authenticator app"
          lead="A code from an app on your phone, required after the password."
        >
          <SecondFactor onStored={onDone} />
        </Section>
        <p className="border-t border-line pt-5 text-sm text-quiet">
          Signed in as <strong className="font-semibold text-ink">{member.email}</strong>.{" "}
          <button type="button" className="link" onClick={() => void signOut()}>
            Sign out
          </button>
        </p>
      </AuthPage>
      <Questions />
    </>
  );
}
