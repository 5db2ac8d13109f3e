import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type JsonGeneralNames,
  type X509Certificate,
} from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', hash: 'SHA-256', namedCurve: 'P-256' };
const DAY_MS = 24 * 3600 * 1000;

/** PEM texts of a certificate and its key (PKCS #8). */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate says. */
export interface Named {
  readonly commonName?: string;
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  readonly uri?: readonly string[];
}

/** One who vouches for certificates, for tests. */
export class Authority {
  private constructor(
    private readonly own: X509Certificate,
    private readonly keys: webcrypto.CryptoKeyPair,
  ) {}

  static async create(commonName: string): Promise<Authority> {
    const keys = await newKeys();
    const own = await X509CertificateGenerator.createSelfSigned({
      name: `CN=${commonName}`,
      keys,
      ...validity(),
      extensions: [new BasicConstraintsExtension(true, undefined, true), new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true)], // prettier-ignore
    });
    return new Authority(own, keys);
  }

  /** Its own certificate, PEM. */
  get cert(): string {
    return this.own.toString('pem');
  }

  /** A certificate for both ends of a connection; of a server on this machine if nothing is said. */
  async issue(
    { commonName = 'test', dns = [], ip = [], uri = [] }: Named = { dns: ['localhost'], ip: ['127.0.0.1'] },
  ): Promise<Pair> {
    const keys = await newKeys();
    const names: JsonGeneralNames = [
      ...dns.map((value) => ({ type: 'dns' as const, value })),
      ...ip.map((value) => ({ type: 'ip' as const, value })),
      ...uri.map((value) => ({ type: 'url' as const, value })),
    ];
    const cert = await X509CertificateGenerator.create({
      subject: `CN=${commonName}`,
      issuer: this.own.subject,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      signingAlgorithm: ALGORITHM,
      ...validity(),
      extensions: names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : [],
    });
    const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    return { cert: cert.toString('pem'), key: PemConverter.encode(key, 'PRIVATE KEY') };
  }
}

/** Writes a pair, and who vouches for the other end, into a folder as `tls` settings name them. */
export function writePems(folder: string, { cert, key }: Pair, ca: string): { cert: string; key: string; ca: string } {
  mkdirSync(folder, { recursive: true });
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem'), ca: join(folder, 'ca.pem') };
  for (const [name, text] of Object.entries({ cert, key, ca })) writeFileSync(files[name as 'cert'], text);
  return files;
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function validity(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
}
