/** Thrown when a configuration cannot be used; the message names the file, the key and what it may be. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
