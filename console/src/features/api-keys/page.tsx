import { Page } from "../../ui/page.tsx";
import { ApiKeyList } from "./key-list.tsx";

export function ApiKeysPage() {
  return (
    <Page
      title="API keys"
      guide="api-keys"
      lead="Programs call Claude with a key of their workspace. The secret is shown once and stored as a hash."
    >
      <ApiKeyList />
    </Page>
  );
}
