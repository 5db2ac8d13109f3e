/** A command was called wrongly: a flag, an argument or a configuration key. Exit code 2; the message names it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A command cannot go on for a reason of its own; the message says what to do. Exit code 1. */
export class CliError extends Error {
  override readonly name = 'CliError';
}

/**
 * A run's records do not add up: images = annotated + skipped, annotated = selected + rejected, selected = trained +
 * unreadable. Never expected; the message gives both sides.
 */
export class CountsError extends Error {
  override readonly name = 'CountsError';
}

/** The user interrupted the command; nothing is lost. Exit code 130. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}
