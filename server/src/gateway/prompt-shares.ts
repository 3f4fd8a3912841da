// Real prompts as shares of their bounds by bytes, by key and model. Near a limit, the upstream then counts no prompt in
// vain.

/** Highest number of keys with a model. Beyond it, the one that was added longest ago is forgotten. */
const MAX_ENTRIES = 4_096;

export class PromptShares {
  readonly #shares = new Map<string, number>();

  /** Adds the tokens of a prompt, and its bound by bytes. */
  add(apiKeyId: string, model: string, prompt: { tokens: number; boundTokens: number }): void {
    const name = `${apiKeyId}\n${model}`;
    if (!this.#shares.has(name) && this.#shares.size >= MAX_ENTRIES) {
      const [oldest] = this.#shares.keys();
      if (oldest !== undefined) this.#shares.delete(oldest);
    }
    this.#shares.set(name, prompt.tokens / prompt.boundTokens);
  }

  /** Estimates the tokens of a prompt by the last one. 0: none is known. */
  estimate(apiKeyId: string, model: string, boundTokens: number): number {
    return Math.floor((this.#shares.get(`${apiKeyId}\n${model}`) ?? 0) * boundTokens);
  }
}
