/** Where in a file an image is, when the file holds many. */
export type ImagePart =
  | { readonly kind: 'bytes'; readonly first: number; readonly length: number }
  | { readonly kind: 'row'; readonly row: number; readonly column: string };

/** A file, and the part of it that is the image; the whole file without one. */
export interface ImagePlace {
  readonly file: string;
  readonly part?: ImagePart;
}

/**
 * The URI that a record carries: that of the file, with `#bytes=FIRST-LAST` for a stretch of it (as in HTTP's Range, both
 * ends included) or `#row=N&column=NAME` for a cell of a table.
 */
export function imageUri({ file, part }: ImagePlace): string {
  if (part === undefined) return file;
  if (part.kind === 'bytes') return `${file}#bytes=${part.first}-${part.first + part.length - 1}`;
  return `${file}#row=${part.row}&column=${encodeURIComponent(part.column)}`;
}

/** The place that a URI means; only endings that `imageUri` writes are taken for a part, since names may hold any character. */
export function parseImageUri(uri: string): ImagePlace {
  if (!uri.includes('#')) return { file: uri };
  const bytes = /^(.+)#bytes=(\d{1,15})-(\d{1,15})$/s.exec(uri);
  if (bytes) {
    const [first, last] = [Number(bytes[2]), Number(bytes[3])];
    if (last >= first) return { file: bytes[1]!, part: { kind: 'bytes', first, length: last - first + 1 } };
  }
  const row = /^(.+)#row=(\d{1,15})&column=([^#&]*)$/s.exec(uri);
  const column = row === null ? undefined : decoded(row[3]!);
  if (!row || column === undefined) return { file: uri };
  return { file: row[1]!, part: { kind: 'row', row: Number(row[2]), column } };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
