/** A text with `***` for user and password of each URL in it. */
export function withoutPassword(text: string): string {
  return text.replaceAll(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"']+@/gi, '$1***@');
}
