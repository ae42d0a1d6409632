import { BREATH_BYTES } from './limits.ts';

/**
 * Lets the event loop do other work each time so many bytes of items have been read: parsing a page of a megabyte, or a batch of
 * sixteen, would hold everyone else up.
 */
export class Breath {
  #bytes = 0;

  /** True where it is time to `await` {@link turn}. */
  takes(bytes: number): boolean {
    this.#bytes += bytes;
    if (this.#bytes < BREATH_BYTES) return false;
    this.#bytes = 0;
    return true;
  }
}

/** The event loop's next turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
