/** Values by number, as many as fit into so many bytes; the one used longest ago goes first. */
export class BoundedCache<T> {
  readonly #entries = new Map<number, { readonly value: T; readonly bytes: number }>();
  #bytes = 0;

  constructor(private readonly capacity: number) {}

  get(key: number): T | undefined {
    const entry = this.#take(key);
    if (entry) this.#put(key, entry);
    return entry?.value;
  }

  /** Keeps a value of so many bytes; one larger than the whole cache is not kept. */
  set(key: number, value: T, bytes: number): void {
    this.#take(key);
    if (bytes > this.capacity) return;
    this.#put(key, { value, bytes });
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.capacity) break;
      this.#take(oldest);
    }
  }

  #take(key: number): { readonly value: T; readonly bytes: number } | undefined {
    const entry = this.#entries.get(key);
    this.#entries.delete(key);
    this.#bytes -= entry?.bytes ?? 0;
    return entry;
  }

  #put(key: number, entry: { readonly value: T; readonly bytes: number }): void {
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
  }
}
