import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import type { experimental } from '@grpc/grpc-js';

/** Seconds between two looks at the files, unless told otherwise. */
const EVERY_SECONDS = 60;

/** PEM files for one end of encrypted connections. */
export interface TlsFiles {
  /** Own certificate, with those between it and the root behind it; together with `key`. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Certificates of who vouches for the other end; the system's when left out. */
  readonly ca?: string | undefined;
}

/** What is told of files that change. */
export interface CertificateFilesOptions {
  /** Seconds between two looks at the files. Default 60. */
  readonly everySeconds?: number | undefined;
  /** Told when new files are in use; with the day on which the own certificate ends, if there is one. */
  readonly onReloaded?: (validTo: string | undefined) => void;
  /** Told, once for each state of the files, why they are not used; those before stay in use. */
  readonly onRejected?: (error: Error) => void;
}

/** Certificate files that cannot be used; the message names the file. */
export class TlsError extends Error {
  override readonly name = 'TlsError';
}

type Pems = Readonly<Record<keyof TlsFiles, Buffer | undefined>>;
type CaListener = experimental.CaCertificateUpdateListener;
type IdentityListener = experimental.IdentityCertificateUpdateListener;

/**
 * Certificates in files that may be replaced at any time: connections that are made from then on use the new ones. Files that are half
 * written or do not belong together are not used. Looks by reading them, since Kubernetes and cert-manager replace files by way of links,
 * which the system's own notices miss.
 */
export class CertificateFiles implements experimental.CertificateProvider {
  readonly #caListeners = new Set<CaListener>();
  readonly #identityListeners = new Set<IdentityListener>();
  #timer: NodeJS.Timeout | undefined;
  /** What was last said to be wrong. */
  #rejected = '';

  private constructor(
    private readonly files: TlsFiles,
    private pems: Pems,
    private readonly options: CertificateFilesOptions,
  ) {}

  /** Throws TlsError when the files cannot be used. */
  static async open(files: TlsFiles, options: CertificateFilesOptions = {}): Promise<CertificateFiles> {
    const pems = await readPems(files);
    checkPems(pems, files);
    return new CertificateFiles(files, pems, options);
  }

  addCaCertificateListener(listener: CaListener): void {
    this.#caListeners.add(listener);
    this.#watch(() => listener(this.#ca()));
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.delete(listener);
    this.#unwatch();
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener);
    this.#watch(() => listener(this.#identity()));
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener);
    this.#unwatch();
  }

  /** grpc-js is ready for what it is told only after it has added its listener. */
  #watch(tell: () => void): void {
    process.nextTick(tell);
    const everyMs = (this.options.everySeconds ?? EVERY_SECONDS) * 1000;
    this.#timer ??= setInterval(() => void this.#look(), everyMs).unref();
  }

  #unwatch(): void {
    if (this.#caListeners.size + this.#identityListeners.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    try {
      const pems = await readPems(this.files);
      if (same(pems, this.pems)) return;
      checkPems(pems, this.files);
      this.pems = pems;
      this.#rejected = '';
      this.#identityListeners.forEach((listener) => listener(this.#identity()));
      this.#caListeners.forEach((listener) => listener(this.#ca()));
      this.options.onReloaded?.(pems.cert && new X509Certificate(pems.cert).validTo);
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#rejected) this.options.onRejected?.(error as Error);
      this.#rejected = message;
    }
  }

  #ca(): { caCertificate: Buffer } {
    return { caCertificate: this.pems.ca ?? Buffer.from(rootCertificates.join('\n')) };
  }

  #identity(): { certificate: Buffer; privateKey: Buffer } | null {
    const { cert, key } = this.pems;
    return cert && key ? { certificate: cert, privateKey: key } : null;
  }
}

async function readPems({ cert, key, ca }: TlsFiles): Promise<Pems> {
  const read = async (file: string | undefined): Promise<Buffer | undefined> => {
    if (file === undefined) return undefined;
    try {
      return await readFile(file);
    } catch (cause) {
      throw new TlsError(`cannot read ${file}: ${(cause as Error).message}`, { cause });
    }
  };
  return { cert: await read(cert), key: await read(key), ca: await read(ca) };
}

function checkPems({ cert, key, ca }: Pems, files: TlsFiles): void {
  if ((cert === undefined) !== (key === undefined)) {
    throw new TlsError('a certificate and its key belong together: give both, `cert` and `key`, or neither');
  }
  if (ca) certificatesIn(ca, files.ca!);
  if (!cert || !key) return;
  const [own] = certificatesIn(cert, files.cert!);
  let isPair: boolean;
  try {
    isPair = own!.checkPrivateKey(createPrivateKey(key));
  } catch {
    // Without its cause: the words of the library may hold what is in the file.
    throw new TlsError(`${files.key} holds no private key in PEM without a passphrase`);
  }
  if (!isPair) throw new TlsError(`${files.key} is not the key of the certificate in ${files.cert}`);
}

/** At least one certificate, each whole. */
function certificatesIn(pem: Buffer, file: string): X509Certificate[] {
  const text = pem.toString('latin1');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const begun = text.match(/-----BEGIN CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length > 0 && blocks.length === begun.length) return blocks.map((block) => new X509Certificate(block));
  } catch {
    // What follows says it.
  }
  throw new TlsError(`${file} does not hold certificates in PEM, each of them whole`);
}

function same(a: Pems, b: Pems): boolean {
  return (['cert', 'key', 'ca'] as const).every((name) => Buffer.compare(a[name] ?? EMPTY, b[name] ?? EMPTY) === 0);
}

const EMPTY = Buffer.alloc(0);
