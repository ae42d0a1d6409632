import { TEMPLATE_OUTPUT_MAX, TEMPLATE_STEPS_MAX } from '../../limits.ts';
import { TemplateLimit } from './nodes.ts';

const TEXT_PER_STEP = 256;

/** What one run of a template may do: templates come from users, and run on the thread that serves everybody. */
export class Budget {
  #steps = TEMPLATE_STEPS_MAX;

  spend(steps = 1): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw new TemplateLimit('too many steps');
  }

  /** A text that was made: bounded in length, and paid by it. */
  text(value: string): string {
    if (value.length > TEMPLATE_OUTPUT_MAX) throw new TemplateLimit('a text that is too long');
    this.spend(value.length / TEXT_PER_STEP);
    return value;
  }
}
