/** U+FFFD, the sign for what is no text, in UTF-8. */
const REPLACEMENT = [0xef, 0xbf, 0xbd];

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Makes byte tokens (`<0x00>` to `<0xFF>`) decode as the `tokenizers` of Hugging Face have it: a run of them that is not UTF-8 gives one
 * U+FFFD for each of its bytes, where a decoder of this platform gives fewer and keeps what it can read. `idOf` is the id of a
 * token, if there is one; without byte tokens, ids stay as they are. Source: tokenizers, decoders/byte_fallback.rs.
 */
export function byteRunRepair(idOf: (token: string) => number | undefined): (ids: readonly number[]) => number[] {
  const idOfByte = (byte: number): number => idOf(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`) ?? -1;
  const byteOf = new Map(Array.from({ length: 256 }, (_, byte) => [idOfByte(byte), byte]));
  const replacement = REPLACEMENT.map(idOfByte);
  const repaired = (run: readonly number[]): readonly number[] =>
    isUtf8(Uint8Array.from(run, (id) => byteOf.get(id)!)) ? run : run.flatMap(() => replacement);
  return (ids) => {
    const out: number[] = [];
    let run: number[] = [];
    for (const id of ids) {
      if (byteOf.has(id)) run.push(id);
      else {
        out.push(...repaired(run), id);
        run = [];
      }
    }
    return [...out, ...repaired(run)];
  };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
