import type { SecureContextOptions, TlsOptions } from 'node:tls';
import { RaybridgeError } from '../errors.ts';
import { readPem, toVersion } from './tls-client.ts';

/** `tls` of a listener, as `tlsServer` of config/schema.ts gives it. */
export interface ServerTlsConfig {
  readonly ca_file: string;
  readonly ca_pem: string;
  readonly cert_file: string;
  readonly cert_pem: string;
  readonly key_file: string;
  readonly key_pem: string;
  readonly client_ca_file: string;
  readonly min_version: string;
  readonly max_version?: string | undefined;
  /** Milliseconds; 0: never. */
  readonly reload_interval: number;
}

/**
 * The options of a TLS server; reads the files. With `client_ca_file` only clients that show a
 * certificate of it get through.
 * @throws RaybridgeError CONFIG_INVALID: a file cannot be read.
 */
export function readServerTls(config: ServerTlsConfig): TlsOptions {
  const clientCa = readPem('', config.client_ca_file);
  return {
    cert: readPem(config.cert_pem, config.cert_file),
    key: readPem(config.key_pem, config.key_file),
    minVersion: toVersion(config.min_version),
    ...(config.max_version === undefined ? {} : { maxVersion: toVersion(config.max_version) }),
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  };
}

/** Reads certificate and key again now and then; one that cannot be read leaves the old one in use. */
export function reloadServerTls(
  server: { setSecureContext(options: SecureContextOptions): void },
  config: ServerTlsConfig,
  onFailure: (error: unknown) => void,
): () => void {
  if (config.reload_interval === 0) return () => {};
  const timer = setInterval(() => {
    try {
      server.setSecureContext(readServerTls(config));
    } catch (error) {
      onFailure(error);
    }
  }, config.reload_interval);
  timer.unref();
  return () => clearInterval(timer);
}

/** Listeners that share a port share its TLS. */
export function requireSameTls(
  component: string,
  one: ServerTlsConfig | undefined,
  other: ServerTlsConfig | undefined,
): void {
  if (JSON.stringify(one) === JSON.stringify(other)) return;
  throw new RaybridgeError(
    'CONFIG_INVALID',
    `${component}: expected the same tls as the other component on this endpoint`,
  );
}
