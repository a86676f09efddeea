import { readFileSync } from 'node:fs';
import { rootCertificates, type SecureVersion } from 'node:tls';
import { RaybridgeError } from '../errors.ts';
import type { ClientTls } from './http-client.ts';

/** `tls` of a client, as `tlsClient` of config/schema.ts gives it. Files and PEM text exclude each other there. */
export interface ClientTlsConfig {
  readonly insecure_skip_verify: boolean;
  readonly server_name_override: string;
  readonly ca_file: string;
  readonly ca_pem: string;
  readonly cert_file: string;
  readonly cert_pem: string;
  readonly key_file: string;
  readonly key_pem: string;
  readonly include_system_ca_certs_pool: boolean;
  readonly min_version: string;
  readonly max_version?: string | undefined;
}

/**
 * The options of a client's connections; reads the files.
 * @throws RaybridgeError CONFIG_INVALID: a file cannot be read.
 */
export function readClientTls(config: ClientTlsConfig): ClientTls {
  const ca = readPem(config.ca_pem, config.ca_file);
  const cert = readPem(config.cert_pem, config.cert_file);
  const key = readPem(config.key_pem, config.key_file);
  return {
    minVersion: toVersion(config.min_version),
    rejectUnauthorized: !config.insecure_skip_verify,
    ...(config.max_version === undefined ? {} : { maxVersion: toVersion(config.max_version) }),
    ...(config.server_name_override ? { servername: config.server_name_override } : {}),
    ...(ca === undefined ? {} : { ca: config.include_system_ca_certs_pool ? [...rootCertificates, ca] : ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/** The text, or that of the file; undefined when neither is given. */
export function readPem(text: string, file: string): string | undefined {
  if (text) return text;
  if (!file) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new RaybridgeError('CONFIG_INVALID', `tls: ${message}`, { cause: error });
  }
}

/** `1.2` as Node writes it; older ones need a Node that was told to permit them. */
export function toVersion(version: string): SecureVersion {
  return `TLSv${version === '1.0' ? '1' : version}` as SecureVersion;
}
