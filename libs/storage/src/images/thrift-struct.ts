import { byteAt, signed, stretch, varintAt } from './parquet-bits.js';

/** A struct's numbers, flags and structs by the ids of their fields. Texts and lists are passed over. */
export type ThriftStruct = ReadonlyMap<number, number | boolean | ThriftStruct>;

/**
 * Reads a struct of Thrift's compact protocol (Apache Thrift, `thrift-compact-protocol.md`), which Parquet writes its headers in.
 *
 * @param at where in `bytes` it begins
 * @param mostValues fields and elements of lists that it may have, those of structs inside included, whatever lengths it states
 * @returns the struct, and where it ends
 * @throws Error when it is damaged, or has more
 */
export function readStruct(
  bytes: Uint8Array,
  at: number,
  mostValues: number,
): { readonly fields: ThriftStruct; readonly end: number } {
  const reader = new CompactReader(bytes, at, mostValues);
  return { fields: reader.struct(), end: reader.at };
}

class CompactReader {
  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
    private left: number,
  ) {}

  struct(): ThriftStruct {
    const fields = new Map<number, number | boolean | ThriftStruct>();
    for (let id = 0, head = this.#byte(); (head & 15) !== 0; head = this.#byte()) {
      this.#count(1);
      id = head >> 4 ? id + (head >> 4) : signed(this.#unsigned());
      const value = this.#value(head & 15);
      if (value !== undefined) fields.set(id, value);
    }
    return fields;
  }

  #value(type: number): number | boolean | ThriftStruct | undefined {
    if (type === 1 || type === 2) return type === 1;
    if (type === 3) return this.#byte();
    if (type >= 4 && type <= 6) return signed(this.#unsigned());
    if (type === 7) return this.#pass(8);
    if (type === 8) return this.#pass(this.#unsigned());
    if (type === 9) return this.#list();
    if (type === 12) return this.struct();
    throw new Error(`a header has a field of the unknown type ${type}`);
  }

  #list(): undefined {
    const head = this.#byte();
    const size = head >> 4 === 15 ? this.#unsigned() : head >> 4;
    const type = head & 15;
    this.#count(size);
    // A flag is a byte here.
    for (let i = 0; i < size; i++) this.#value(type === 1 || type === 2 ? 3 : type);
  }

  #unsigned(): number {
    const { value, end } = varintAt(this.bytes, this.at);
    this.at = end;
    return value;
  }

  #byte(): number {
    return byteAt(this.bytes, this.at++);
  }

  #pass(length: number): undefined {
    this.at += stretch(this.bytes, this.at, length).length;
  }

  #count(values: number): void {
    this.left -= values;
    if (this.left < 0) throw new Error('a header has too many values');
  }
}
