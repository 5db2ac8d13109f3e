import { RpcError } from '@mpa/contracts';
import { Roots } from '@mpa/storage';
import { isKafkaPlace, parseKafkaPlace } from '@mpa/streams';
import { z } from 'zod';
import { ConfigError } from './config-error.js';

const roots = z.array(z.string().min(1)).default([]);

/**
 * What callers may name; a part of a service's configuration. Roots are folders, `s3://BUCKET/PREFIX`, `kafka://HOST:PORT,...`, and URLs
 * of endpoints.
 */
export const placesConfig = z.union([
  /** Whatever they like. */
  z.literal('any'),
  z.strictObject({
    /** Images, checkpoints, annotations, and models behind endpoints. */
    read: roots,
    /** Streams, checkpoints and results; may be read too. */
    write: roots,
  }),
]);

/** The places that the requests of a service may name: a path by where its links lead, so that none leads out. */
export class Places {
  private constructor(
    private readonly readable: Roots | undefined,
    private readonly writable: Roots | undefined,
    /** Of Kafka, which gets the service's password from whoever connects; their topics are the cluster's own business. */
    private readonly brokers: readonly string[],
  ) {}

  /** Throws ConfigError for a folder that is not there, or a place on Kafka that is none. */
  static async of(config: z.output<typeof placesConfig>): Promise<Places> {
    if (config === 'any') return new Places(undefined, undefined, []);
    const { read, write } = config;
    const all = [...read, ...write];
    const elsewhere = (each: string): boolean => !isKafkaPlace(each);
    try {
      const [readable, writable] = [await Roots.of(all.filter(elsewhere)), await Roots.of(write.filter(elsewhere))];
      return new Places(readable, writable, all.filter(isKafkaPlace).flatMap(brokersOf));
    } catch (error) {
      throw new ConfigError(`places: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Where images may be read; undefined for everywhere. */
  get images(): Roots | undefined {
    return this.readable;
  }

  /** Throws RpcError PERMISSION_DENIED for places that may not be read. */
  async checkRead(...places: readonly string[]): Promise<void> {
    for (const place of places) await this.#check(place, this.readable, 'read');
  }

  /** Throws RpcError PERMISSION_DENIED for places that may not be written. */
  async checkWrite(...places: readonly string[]): Promise<void> {
    for (const place of places) await this.#check(place, this.writable, 'write');
  }

  async #check(place: string, roots: Roots | undefined, use: 'read' | 'write'): Promise<void> {
    if (!roots || (await this.#holds(place, roots))) return;
    throw new RpcError('PERMISSION_DENIED', `${place} is below none of the places of this service (places.${use})`);
  }

  async #holds(place: string, roots: Roots): Promise<boolean> {
    try {
      if (isKafkaPlace(place)) return parseKafkaPlace(place).brokers.every((broker) => this.brokers.includes(broker));
      return await roots.hold(withoutModel(place));
    } catch (error) {
      throw new RpcError('INVALID_ARGUMENT', (error as Error).message, { cause: error });
    }
  }
}

/** The brokers of `kafka://HOST:PORT,...`. */
function brokersOf(root: string): readonly string[] {
  return parseKafkaPlace(`${root.replace(/\/$/, '')}/any`).brokers;
}

/** An endpoint may have the name of a model behind it. */
function withoutModel(place: string): string {
  return /^https?:/i.test(place) ? place.split('#')[0]! : place;
}
