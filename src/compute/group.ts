import type { Environment } from './environment.ts';
import { FINISHING_MS_MAX } from './limits.ts';

/** Resolves with the environment, or with undefined where none came. */
interface Next {
  readonly give: (environment: Environment | undefined) => void;
  readonly timer: NodeJS.Timeout;
}

/** Environments that may stand for each other: those of one function version in one configuration. */
export class Group {
  /** An environment that is started before anybody calls. */
  ahead: Promise<void> | undefined;
  /** The one used last is at the end. */
  readonly idle: Environment[] = [];
  /** No new invocations: environments end when they are done. */
  retired = false;
  live = 0;
  /** Environments that have answered and will take another event within moments. */
  finishing = 0;
  /** Invocations that wait for one of those, rather than for a cold start. */
  readonly #next: Next[] = [];

  /** A caller that asks again as soon as it is answered gets the same environment: its runtime is about to ask for an event. */
  takeFinishing(): Promise<Environment | undefined> | undefined {
    if (this.retired || this.finishing <= this.#next.length) return undefined;
    return new Promise((give) => {
      const timer = setTimeout(() => {
        this.#next.splice(this.#next.indexOf(next), 1);
        give(undefined);
      }, FINISHING_MS_MAX);
      const next: Next = { give, timer };
      this.#next.push(next);
    });
  }

  /** Gives the environment to who waits for one that finishes; false where nobody does. */
  giveNext(environment: Environment): boolean {
    const next = this.#next.shift();
    if (!next) return false;
    clearTimeout(next.timer);
    next.give(environment);
    return true;
  }

  /** Nobody waits any longer. */
  abandon(): void {
    for (const next of this.#next.splice(0)) {
      clearTimeout(next.timer);
      next.give(undefined);
    }
  }

  remove(environment: Environment): void {
    const at = this.idle.indexOf(environment);
    if (at >= 0) this.idle.splice(at, 1);
  }
}
