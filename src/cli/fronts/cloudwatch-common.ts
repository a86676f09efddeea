import { existsSync, readFileSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';

/** What `common-config.toml` says to this process beside its environment. */
export interface CommonSettings {
  readonly imdsRetries?: number;
}

/** By section and key, the variable that says the same. */
const variables: ReadonlyMap<string, string> = new Map([
  ['credentials.shared_credential_profile', 'AWS_PROFILE'],
  ['credentials.shared_credential_file', 'AWS_SHARED_CREDENTIALS_FILE'],
  ['proxy.http_proxy', 'HTTP_PROXY'],
  ['proxy.https_proxy', 'HTTPS_PROXY'],
  ['proxy.no_proxy', 'NO_PROXY'],
  ['ssl.ca_bundle_path', 'AWS_CA_BUNDLE'],
]);

/**
 * Reads the settings that the CloudWatch agent's package keeps beside its configuration
 * (specification: configuration 3.7) and puts them into the environment; a variable that is set there
 * gives way, as in the agent. No file, no settings.
 * @throws Error: the file is no TOML, or a value is of a wrong type; names file, line and column.
 */
export function applyCommonSettings(
  file: string,
  env: NodeJS.ProcessEnv,
  warn: (text: string) => void,
): CommonSettings {
  if (!existsSync(file)) return {};
  let imdsRetries: number | undefined;
  for (const [section, members] of Object.entries(parsed(file))) {
    if (typeof members !== 'object' || members instanceof Date || Array.isArray(members)) {
      warn(`${file}: ${section}: unknown key; sections are credentials, proxy, ssl and imds`);
      continue;
    }
    for (const [key, value] of Object.entries(members)) {
      const name = `${section}.${key}`;
      const variable = variables.get(name);
      if (variable !== undefined) {
        if (typeof value !== 'string') throw new Error(`${file}: ${name}: expected text, got ${String(value)}`);
        env[variable] = value;
      } else if (name === 'imds.imds_retries') {
        if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
          throw new Error(`${file}: ${name}: expected a whole number of at least 0, got ${String(value)}`);
        }
        imdsRetries = value;
      } else warn(`${file}: ${name}: unknown key, ignored`);
    }
  }
  return imdsRetries === undefined ? {} : { imdsRetries };
}

function parsed(file: string) {
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = ''] = error.message.split('\n');
    throw new Error(`${file}:${error.line}:${error.column}: ${what}`, { cause: error });
  }
}
