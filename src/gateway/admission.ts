import { Overload } from './body.ts';

export interface AdmissionLimits {
  readonly inFlight: number;
  readonly waiting: number;
  readonly waitingMs: number;
}

/** A bound on requests under way in this process (design decision 7). */
export interface Admission {
  /** Undefined: come in. A promise: wait. Throws or rejects with {@link Overload}. */
  enter(): Promise<void> | undefined;
  leave(): void;
  readonly active: number;
  readonly waiting: number;
  /** Set when the process stops: every answer from then on ends its connection. */
  closing: boolean;
}

export function createAdmission(limits: AdmissionLimits): Admission {
  const queue: { admit: () => void; timer: NodeJS.Timeout }[] = [];
  let active = 0;
  return {
    closing: false,
    get active() {
      return active;
    },
    get waiting() {
      return queue.length;
    },
    enter() {
      if (active < limits.inFlight) {
        active++;
        return undefined;
      }
      if (queue.length >= limits.waiting) throw new Overload();
      return new Promise<void>((resolve, reject) => {
        const entry = {
          admit: resolve,
          timer: setTimeout(() => {
            queue.splice(queue.indexOf(entry), 1);
            reject(new Overload());
          }, limits.waitingMs),
        };
        queue.push(entry);
      });
    },
    leave() {
      const next = queue.shift();
      if (!next) {
        active--;
        return;
      }
      // The place passes on: `active` stays as it is.
      clearTimeout(next.timer);
      next.admit();
    },
  };
}
