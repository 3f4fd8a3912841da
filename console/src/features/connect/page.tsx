import { useParams } from "@tanstack/react-router";
import { clientPages } from "../../kit/code-samples/client-pages.ts";
import { NotFoundPage } from "../../kit/error-pages.tsx";
import { Page } from "../../ui/page.tsx";
import { TabLinks } from "../../ui/tabs.tsx";
import { ClientTab } from "./client-tab.tsx";
import { SignInTab } from "./sign-in-tab.tsx";
import { TeamLink } from "./team-link.tsx";
import { useKeyChoice } from "./use-key-choice.ts";

const tabs = clientPages.map(({ label, name }) =>
  name === null
    ? ({ label, to: "/connect" } as const)
    : ({ label, to: "/connect/$client", params: { client: name } } as const),
);

/** Ways to use Claude through this server. A new key stays in the code of all clients until the page is left. */
export function ConnectPage() {
  const { client }: { client?: string } = useParams({ strict: false });
  const choice = useKeyChoice();
  const page = clientPages.find((each) => each.name === (client ?? null));
  if (!page) return <NotFoundPage />;
  return (
    <Page
      title="Connect"
      guide="connect"
      lead="Use Claude through this server. Choose your client, and send a first request."
    >
      <TabLinks label="Clients" tabs={tabs} />
      <div className="grid max-w-3xl gap-10">
        {page.clients === null ? (
          <SignInTab>
            <TeamLink />
          </SignInTab>
        ) : (
          <ClientTab key={page.name} clients={page.clients} choice={choice}>
            <TeamLink />
          </ClientTab>
        )}
      </div>
    </Page>
  );
}
