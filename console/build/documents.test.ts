import { expect, test } from "vitest";
import { addEarlyScript, addLaterFiles, addPageFiles } from "./documents.ts";

const html = '<head>\n  <script type="module" src="/assets/main.js"></script>\n</head>';
const font = '<link rel="preload" as="font" href="/assets/inter.woff2">';
const files = [
  { name: "assets/main.js", imports: [], moduleIds: ["main"] },
  { name: "assets/shared.js", imports: ["assets/main.js"], moduleIds: ["table"] },
  { name: "assets/keys.js", imports: ["assets/shared.js"], moduleIds: ["keys"] },
  { name: "assets/usage.js", imports: ["assets/shared.js"], moduleIds: ["usage"] },
];

test("a document names the files of its page and their imports, except those that it has", () => {
  const document = addPageFiles({ html, files, isOfPage: (id) => id === "keys" });
  expect(document).toBe(
    '<head>\n  <script type="module" src="/assets/main.js"></script>\n' +
      '  <link rel="second" crossorigin href="/assets/keys.js">\n' +
      '  <link rel="second" crossorigin href="/assets/shared.js">\n</head>',
  );
});

test("the fonts of a page are files that load second", () => {
  const document = addPageFiles({ html: font + html, files, isOfPage: () => false });
  expect(document).toBe(font.replace("preload", "second") + html);
});

test("files for later are named without a load", () => {
  const document = addLaterFiles({ html, files, isOfPage: (id) => id === "usage" });
  expect(document).toContain('<link rel="later" crossorigin href="/assets/usage.js">');
  expect(document).not.toMatch(/modulepreload|second/);
});

test("an early script stands before the files of the page", () => {
  const document = addEarlyScript("<title>Bursar</title>\n<link>", "assets/early.js");
  expect(document).toBe(
    '<title>Bursar</title>\n<script type="module" async crossorigin src="/assets/early.js"></script>\n<link>',
  );
});
