import { readdirSync, readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { Loaded, LoadInput } from '../config/index.ts';
import { type Format, formats } from '../config/format-names.ts';
import { RaybridgeError } from '../errors.ts';

/** The options by which every command finds its configuration. */
export interface ConfigurationOptions {
  readonly config: readonly string[];
  readonly set: readonly string[];
  readonly format?: Format;
  readonly strictConfig?: boolean;
}

export function withConfigurationOptions(command: Command): Command {
  return command
    .option(
      '--config <location>',
      'configuration to read: FILE, file:, env:, yaml:, http: or https: (repeatable, later wins)',
      collect,
      [],
    )
    .option(
      '--set <path=value>',
      'one value on top of it, such as receivers.otlp.protocols.http.endpoint=127.0.0.1:14318 (repeatable)',
      collect,
      [],
    )
    .addOption(
      new Option('--format <program>', 'whose configuration it is, where that is not to be found out').choices(formats),
    )
    .option('--strict-config', 'take warnings for errors');
}

/** What a front knows of the configuration beyond its files. */
export type MoreInput = Partial<Pick<LoadInput, 'daemonFlags' | 'agent' | 'featureGates'>>;

/** The configuration, after its problems were printed to stderr; `config` is undefined when there is an error among them. */
export async function readConfiguration(options: ConfigurationOptions, { verbose = false } = {}): Promise<Loaded> {
  const loaded = await loadConfiguration(options);
  const text = await printProblemsOf(loaded, { verbose });
  if (text) process.stderr.write(text);
  return loaded;
}

export async function printProblemsOf({ problems, sources }: Loaded, { verbose = false } = {}): Promise<string> {
  const { printProblems } = await import('../config/index.ts');
  return printProblems(problems, sources, { verbose });
}

/** The same without a word. */
export async function loadConfiguration(
  { config, set, format, strictConfig = false }: ConfigurationOptions,
  more: MoreInput = {},
): Promise<Loaded> {
  // Loaded when asked for: commands that need no configuration start in half the time.
  const [{ components }, { loadConfig }] = await Promise.all([
    import('../components.ts'),
    import('../config/index.ts'),
  ]);
  const loaded = await loadConfig({
    ...more,
    locations: config,
    sets: set,
    read: async (path) => readFileSync(path, 'utf8'),
    fetch: fetchDocument,
    list: async (folder) => readdirSync(folder),
    env: new Map(Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
    registry: components,
    format,
  });
  const isRefused = strictConfig && loaded.problems.some(({ severity }) => severity === 'warning');
  return isRefused ? { ...loaded, config: undefined } : loaded;
}

const fetchTimeoutMs = 10_000;

/**
 * The text at a URL, with a GET as the Collector's provider makes it: no answer but 200 counts. Roots
 * of one's own are in SSL_CERT_FILE, as for the Collector.
 */
async function fetchDocument(location: string): Promise<string> {
  const { answerBytesMax, createHttpClient } = await import('../net/http-client.ts');
  const url = new URL(location);
  const roots = process.env['SSL_CERT_FILE'];
  const client = createHttpClient(roots ? { tls: { ca: readFileSync(roots) } } : {});
  try {
    const who = [url.username, url.password].map(decodeURIComponent).join(':');
    const authorization = `Basic ${Buffer.from(who).toString('base64')}`;
    const headers = url.username === '' ? {} : { authorization };
    const request = { method: 'GET', url, headers, body: new Uint8Array(), timeoutMs: fetchTimeoutMs };
    const { status, body } = await client.send(request);
    if (status !== 200) throw new RaybridgeError('CONFIG_INVALID', `expected status 200, got ${status}`);
    if (body.length >= answerBytesMax) {
      throw new RaybridgeError('CONFIG_INVALID', `expected less than ${answerBytesMax} bytes, got more`);
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } finally {
    await client.close();
  }
}

/** For an option that may be given several times. */
export function collect(value: string, all: readonly string[]): readonly string[] {
  return [...all, value];
}
