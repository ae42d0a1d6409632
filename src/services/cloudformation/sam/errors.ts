/** A template that SAM refuses: the whole text of its message. */
export class SamError extends Error {}

/** One resource's mistake, collected with the others into a {@link SamError}. */
export class ResourceProblem extends Error {
  readonly logicalId: string;
  constructor(logicalId: string, message: string) {
    super(`Resource with id [${logicalId}] is invalid. ${message}`);
    this.logicalId = logicalId;
  }
}

/** An event's mistake: the resource's problem names it. */
export class EventProblem extends Error {
  constructor(eventId: string, message: string) {
    super(`Event with id [${eventId}] is invalid. ${message}`);
  }
}

/** A mistake of the template as a whole. */
export class TemplateProblem extends Error {
  constructor(message: string) {
    super(`Structure of the SAM template is invalid. ${message}`);
  }
}

/** A mistake in `Globals`. */
export class GlobalsProblem extends Error {
  constructor(message: string) {
    super(`'Globals' section is invalid. ${message}`);
  }
}

export const isProblem = (error: unknown): error is Error =>
  error instanceof ResourceProblem || error instanceof EventProblem || error instanceof TemplateProblem || error instanceof GlobalsProblem;

/** All problems as SAM's one message. */
export function problemsError(problems: readonly Error[]): SamError {
  const rank = (problem: Error): string => (problem instanceof ResourceProblem ? problem.logicalId : '');
  const sorted = [...problems].sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
  return new SamError(
    `Invalid Serverless Application Specification document. Number of errors found: ${problems.length}. ${sorted.map(({ message }) => message).join(' ')}`,
  );
}
