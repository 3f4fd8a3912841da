import { Link, Outlet } from "@tanstack/react-router";
import { useBaseUrl } from "../../kit/code-samples/code-samples.tsx";
import { KeyStoreSample } from "../../kit/code-samples/key-store-sample.tsx";
import { KeySamples } from "../../kit/personal-keys/key-samples.tsx";
import { Page, Section } from "../../ui/page.tsx";
import { TabLinks } from "../../ui/tabs.tsx";

/** Ways to use Claude through this server. */
export function ConnectPage() {
  return (
    <Page
      title="Connect"
      guide="claude-code"
      lead="Use Claude through this server, in Claude Code or in a program."
    >
      <TabLinks
        label="Connect"
        tabs={[
          { label: "Claude Code", to: "/connect" },
          { label: "Claude Code with a key", to: "/connect/key" },
          { label: "Python, TypeScript, curl", to: "/connect/sdks" },
        ]}
      />
      <Outlet />
    </Page>
  );
}

/** Stands for the reader's key in a sample. */
const PLACEHOLDER = "sk-ant-api03-…";
const anyKey = { allowed_models: null };

export function KeyTab() {
  const baseUrl = useBaseUrl();
  return (
    <div className="grid max-w-3xl gap-10">
      <Section title="Environment variables" lead={<KeyHint />}>
        <KeySamples
          apiKey={anyKey}
          secret={PLACEHOLDER}
          clients={["Claude Code"]}
          hasKeyStore={false}
        />
      </Section>
      <Section
        title="Key in the system’s store"
        lead="Claude Code runs the command in apiKeyHelper, and uses its output as the key. No file contains the key."
      >
        <KeyStoreSample baseUrl={baseUrl} />
      </Section>
    </div>
  );
}

export function SdkTab() {
  return (
    <div className="grid max-w-3xl gap-10">
      <Section title="First request" lead={<KeyHint />}>
        <KeySamples
          apiKey={anyKey}
          secret={PLACEHOLDER}
          clients={["Python", "TypeScript", "curl"]}
        />
      </Section>
    </div>
  );
}

function KeyHint() {
  return (
    <>
      Replace {PLACEHOLDER} with your key.{" "}
      <Link to="/personal-keys" className="link">
        Personal keys
      </Link>
    </>
  );
}
