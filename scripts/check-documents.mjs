// Fails when a document has a broken link or path, or when the README does not link a guide. Fails when a decision
// record lacks its date, status or row. Fails too when it read too few documents or references.
import { findDecisionFaults } from "./decision-records.mjs";
import { findBrokenReferences, findUnlinkedGuides } from "./document-references.mjs";
import { root } from "./runtime.mjs";

const MINIMUM_DOCUMENTS = 60;
const MINIMUM_REFERENCES = 500;

const { broken, documentCount, referenceCount } = findBrokenReferences(root);
const faults = [...broken, ...findUnlinkedGuides(root), ...findDecisionFaults(root)];
if (documentCount < MINIMUM_DOCUMENTS || referenceCount < MINIMUM_REFERENCES) {
  faults.push(
    `At least ${MINIMUM_DOCUMENTS} documents and ${MINIMUM_REFERENCES} references are expected.`,
  );
}
for (const fault of faults) console.error(fault);
console.log(
  `documents: ${documentCount} documents, ${referenceCount} references, ${faults.length} faults`,
);
process.exit(faults.length === 0 ? 0 : 1);
