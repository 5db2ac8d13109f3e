import { createHash } from 'node:crypto';
import type { Annotation, Task } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import type { Streams } from '@mpa/streams';
import { perceptualHash, type RgbImage } from '@mpa/vlm';
import type { AnnotatorConfig } from './annotator-config.js';
import { HashIndex } from './hash-index.js';

/**
 * The images of a run by which later ones are told to be duplicates, for each task by itself. What it knows comes from the
 * annotations that were written, by this annotator or another: a run that was stopped goes on with the same index. A sample that a
 * skipped one names is always kept itself.
 */
export class Duplicates {
  readonly #indexes = new Map<Task, HashIndex>();
  /** Samples that stand for others and are not written yet. */
  readonly #promised = new Set<string>();
  /** Where reading the annotations goes on, by partition. */
  readonly #next = new Map<number, number>();
  readonly #distance: number;

  constructor(
    private readonly streams: Streams,
    private readonly options: AnnotatorConfig['duplicates'],
  ) {
    this.#distance = options.match === 'near' ? options.distance : 0;
  }

  /** By what an image is told: see `Annotation.fingerprint`. Undefined when duplicates are not looked for. */
  fingerprint(bytes: Uint8Array, image: RgbImage): bigint | undefined {
    switch (this.options.match) {
      case 'off':
        return undefined;
      case 'exact':
        return createHash('sha256').update(bytes).digest().readBigUInt64BE();
      case 'near':
        return perceptualHash(image);
    }
  }

  /** Reads what was written since the last call. */
  async refresh(): Promise<void> {
    if (this.options.match === 'off') return;
    for await (const { record, message } of topics.annotations.read(this.streams, { from: this.#next })) {
      this.#next.set(record.partition, record.offset + 1);
      this.#note(message);
    }
  }

  /** The sample that stands for this one; undefined when it stands for itself, from now on also for others. */
  claim(task: Task, id: string, fingerprint: bigint): string | undefined {
    const index = this.#indexOf(task);
    const first = index.find(fingerprint);
    if (first === id) return undefined;
    if (first !== undefined && !this.#promised.has(id)) return first;
    index.add(fingerprint, id);
    return undefined;
  }

  #note({ task, sampleId, fingerprint, duplicateOf }: Annotation): void {
    if (fingerprint === undefined) return;
    const index = this.#indexOf(task);
    const known = index.find(fingerprint);
    if (duplicateOf !== '') {
      if (known !== duplicateOf) this.#promised.add(duplicateOf);
      return;
    }
    // One's own are there since they were claimed.
    if (known !== sampleId) index.add(fingerprint, sampleId);
    this.#promised.delete(sampleId);
  }

  #indexOf(task: Task): HashIndex {
    const known = this.#indexes.get(task) ?? new HashIndex(this.#distance);
    this.#indexes.set(task, known);
    return known;
  }
}
