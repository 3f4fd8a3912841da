import { CodeBlock } from "../../ui/code-block.tsx";
import { Section } from "../../ui/page.tsx";

const START = "npm install --global @anthropic-ai/claude-code\nclaude";

/** Steps of the first sign-in, with the questions of Claude Code. */
export function SignInSteps({ url, fingerprint }: { url: string; fingerprint: string | null }) {
  const steps = [
    "Press Enter on the screen “Cloud gateway”.",
    describeTrust(url, fingerprint),
    "Your browser opens this console. Sign in, compare the code with the terminal, and approve the laptop.",
    "Return to the terminal. If Claude Code asks whether this is your account, choose “Yes, continue”.",
    "Claude Code shows “Connected to Cloud gateway”. Type a message.",
  ];
  return (
    <Section title="Sign-in" lead="Your requests then count as yours. No key is on the laptop.">
      <div className="grid gap-1.5">
        <p className="text-sm text-quiet">In a terminal, install and start Claude Code</p>
        <CodeBlock what="commands" text={START} />
      </div>
      <ol className="grid list-decimal gap-2 pl-5 text-sm">
        {steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
    </Section>
  );
}

function describeTrust(url: string, fingerprint: string | null): string {
  if (fingerprint !== null)
    return "Compare the fingerprint with the one above, and choose “Yes, trust this gateway”.";
  if (url.startsWith("http:"))
    return "Choose “Yes, trust this gateway”. Without a certificate, the fingerprint is http-loopback.";
  return "Ask an administrator for the fingerprint, compare it, and choose “Yes, trust this gateway”.";
}
