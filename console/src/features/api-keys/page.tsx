import { Page } from "../../ui/page.tsx";
import { ApiKeyList } from "./key-list.tsx";

export function ApiKeysPage() {
  return (
    <Page
      title="API keys"
      lead="Programs call Claude with the key of their workspace. A key is shown once and kept as a hash."
    >
      <ApiKeyList />
    </Page>
  );
}
