import "./styles.css";
import { StrictMode } from "react";
import { loadConsoleOnInput } from "./load-console.ts";
import { SignInPages } from "./routes/sign-in-pages.tsx";
import { startDocument } from "./start-document.ts";

// Pages of visitors. Their document has no router, no query cache and no Base UI: a visitor waits for nothing but these.

loadConsoleOnInput();

void startDocument(
  <StrictMode>
    <SignInPages />
  </StrictMode>,
);
