import { Link } from "@tanstack/react-router";
import { useBaseUrl } from "../../kit/code-samples/use-base-url.ts";
import { useWorkspaces } from "../../kit/workspaces/queries.ts";
import { useMay } from "../../session.ts";
import { CodeBlock } from "../../ui/code-block.tsx";
import { Section } from "../../ui/page.tsx";
import { describePersonalKeys } from "./describe-personal-keys.ts";

/** Link to this page for people of a team, for administrators of a workspace. */
export function TeamLink() {
  const may = useMay();
  const baseUrl = useBaseUrl();
  if (!may("workspaces:write")) return null;
  return (
    <Section
      title="Link for your team"
      lead="Each person signs in and sees the steps for their own rights."
    >
      <CodeBlock what="link" text={`${baseUrl}/connect`} />
      <OpenWorkspaces />
    </Section>
  );
}

/** Workspaces of the administrator in which people can create a key. */
function OpenWorkspaces() {
  const may = useMay();
  const workspaces = useWorkspaces();
  if (!workspaces.data) return null;
  const own = workspaces.data.items.filter(({ id }) => may("workspaces:write", id));
  return (
    <p className="text-sm text-quiet">
      {describePersonalKeys(own)}{" "}
      <Link to="/workspaces" className="link">
        Workspaces
      </Link>
    </p>
  );
}
