import { experimental, type ChannelCredentials } from '@grpc/grpc-js';
import { CertificateFiles, type CertificateFilesOptions, type TlsFiles } from './certificate-files.js';

/**
 * Credentials of a client that speaks TLS: the server must have a certificate that `ca`, or the system, vouches for, and is shown
 * `cert` where it asks for one. Files that are replaced are used by the next connection. Throws TlsError when they cannot be used.
 */
export async function clientCredentials(
  files: TlsFiles,
  options: CertificateFilesOptions = {},
): Promise<ChannelCredentials> {
  const certificates = await CertificateFiles.open(files, options);
  const own = files.cert === undefined ? null : certificates;
  return experimental.createCertificateProviderChannelCredentials(certificates, own);
}
