/** Files that the build names in a document of a member (build/documents.ts): fonts, and the files of the page. */
const SECOND = 'link[rel="second"]';
/** The start of the console, which the document loads first. */
const START = 'script[src^="/assets/index-"]';

/**
 * Requests the second files when the start of the console has arrived. A slow connection would otherwise bring all files at
 * the same time, and the processor would wait for the last one. Now it starts the console while the second files arrive.
 */
export function requestSecondFiles(): void {
  if (document.readyState === "loading") {
    document.addEventListener("readystatechange", requestSecondFiles, { once: true });
    return;
  }
  const start = document.querySelector<HTMLScriptElement>(START)?.src;
  if (start === undefined || hasOneConnection()) {
    request();
    return;
  }
  new PerformanceObserver((list, observer) => {
    if (!list.getEntries().some(({ name }) => name === start)) return;
    observer.disconnect();
    request();
  }).observe({ type: "resource", buffered: true });
}

/** HTTP/2 and later send the files in their order over one connection, without a wait between them. */
function hasOneConnection(): boolean {
  const [document] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return document !== undefined && /^h[23]/.test(document.nextHopProtocol);
}

function request(): void {
  for (const link of document.querySelectorAll<HTMLLinkElement>(SECOND)) {
    link.rel = link.as === "font" ? "preload" : "modulepreload";
  }
}
