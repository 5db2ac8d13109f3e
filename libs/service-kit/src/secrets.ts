import { withoutPassword } from '@mpa/storage';

/** How the names of environment variables end that hold secrets. */
const SECRET_NAME = /(KEY|TOKEN|SECRET|PASSWORD|PASSPHRASE|CREDENTIALS?)$/i;
/** Shorter values may stand in any text. */
const SHORTEST_SECRET = 8;

/** The values of environment variables that are secrets, by their names. */
export function secretsIn(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    const secret = value?.trim() ?? '';
    return SECRET_NAME.test(name) && secret.length >= SHORTEST_SECRET ? [secret] : [];
  });
}

/** The text with `***` for each secret, as it is or as in JSON, for passwords in URLs, and for tokens in headers. */
export function masked(text: string, secrets: readonly string[]): string {
  const known = secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  const rest = known.reduce((some, secret) => some.replaceAll(secret, '***'), text);
  return withoutPassword(rest).replaceAll(/\b(Bearer|Basic) +[\w.~+/=-]{8,}/gi, '$1 ***');
}
