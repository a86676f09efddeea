/**
 * Where a configuration comes from: `--config LOCATION` and `--set a.b=c` (specification:
 * configuration 1.1). Nothing is read here but through the caller's `read`, `fetch` and `env`.
 */
import { type Problem, error } from './message.ts';
import { type Position, wholeSource } from './tree.ts';

export interface Location {
  readonly scheme: Scheme;
  /** What follows the scheme: a path, a variable's name, or YAML; of a document on the web, its whole URL. */
  readonly opaque: string;
  /** As messages name it. */
  readonly source: string;
}

export type Scheme = 'file' | 'env' | 'yaml' | 'http' | 'https';

/** What the world gives to the reading of a configuration. */
export interface World {
  /** The text of a file; rejects when it cannot be read. */
  readonly read: (path: string) => Promise<string>;
  /** The text at a URL; rejects unless the answer is 200. Absent where nothing is read from the web. */
  readonly fetch?: ((url: string) => Promise<string>) | undefined;
  /** The names in a folder; rejects when it cannot be read. Absent where nothing is looked for by pattern. */
  readonly list?: (folder: string) => Promise<readonly string[]>;
  readonly env: ReadonlyMap<string, string>;
}

/** The position of problems that no source can be blamed for. */
const commandLine: Position = wholeSource('command line');

const schemes: ReadonlySet<string> = new Set<Scheme>(['file', 'env', 'yaml', 'http', 'https']);
/** One letter before the colon is a Windows drive, not a scheme. */
const uriPattern = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s;

/** The location of the `ordinal`th `--config`; without a scheme it is a file. */
export function parseLocation(text: string, ordinal: number): Location | Problem {
  const parts = uriPattern.exec(text);
  if (!parts) return { scheme: 'file', opaque: text, source: text };
  const [, scheme = '', opaque = ''] = parts;
  if (!isScheme(scheme)) return error(commandLine, `--config #${ordinal}`, unsupportedScheme(scheme, text));
  if (scheme === 'http' || scheme === 'https') {
    const source = nameOfUrl(text);
    return source === undefined
      ? error(commandLine, `--config #${ordinal}`, 'expected a URL such as https://host/otel.yaml')
      : { scheme, opaque: text, source };
  }
  const source = { file: opaque, env: `env ${opaque}`, yaml: `--config #${ordinal}` }[scheme];
  return { scheme, opaque, source };
}

/** `a.b.c=value` of the `ordinal`th `--set` as the location `yaml:a::b::c: value`. */
export function parseSet(argument: string, ordinal: number): Location | Problem {
  const equals = argument.indexOf('=');
  if (equals < 0) {
    const original = `invalid argument ${JSON.stringify(argument)} for "--set" flag: missing equal sign`;
    return error(commandLine, `--set #${ordinal}`, `expected path=value, got ${JSON.stringify(argument)}`, {
      original,
    });
  }
  const path = argument.slice(0, equals).trim().replaceAll('.', '::');
  return { scheme: 'yaml', opaque: `${path}: ${argument.slice(equals + 1).trim()}`, source: `--set #${ordinal}` };
}

/** The text at a location. An environment variable that is not set is a problem here, unlike in `${env:…}`. */
export async function readLocation(location: Location, world: World): Promise<string | Problem> {
  const { scheme, opaque, source } = location;
  if (scheme === 'yaml') return opaque;
  if (scheme === 'env') return world.env.get(opaque) ?? error(commandLine, source, 'is not set');
  if (scheme === 'file') return readFile(opaque, world, wholeSource(source));
  return fetchDocument(opaque, world, wholeSource(source));
}

/** How messages name a URL; without what may be a secret in it. Undefined when it is none. */
export function nameOfUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { origin, pathname } = new URL(text);
  return `${origin}${pathname}`;
}

/** The text at a URL, or a problem at `position`, which is where it was asked for. */
export async function fetchDocument(url: string, { fetch }: World, position: Position): Promise<string | Problem> {
  if (!fetch) return error(position, '', 'documents on the web are not read here');
  try {
    return await fetch(url);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return error(position, '', `cannot fetch ${nameOfUrl(url) ?? 'it'}: ${reason}`);
  }
}

/** The text of a file, or a problem at `position`, which is where the file was asked for. */
export async function readFile(path: string, { read }: World, position: Position): Promise<string | Problem> {
  try {
    return await read(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return error(position, '', `cannot read the file ${JSON.stringify(path)}: ${reason}`, {
      original: `unable to read the file file:${path}`,
    });
  }
}

export function isScheme(text: string): text is Scheme {
  return schemes.has(text);
}

/** Says why a scheme of `uri` cannot be used; schemes that the Collector has get a way round. */
export function unsupportedScheme(scheme: string, uri: string): string {
  if (scheme === 's3') return 'scheme "s3" is not supported; download the object and use file:';
  if (scheme === 'ssm') {
    return 'scheme "ssm" is not supported; let ECS put the parameter into an environment variable (secrets of the task definition) and use env:NAME';
  }
  if (scheme === 'secretsmanager') {
    return 'scheme "secretsmanager" is not supported; put the secret into an environment variable and use ${env:NAME}';
  }
  return `scheme "${scheme}" is not supported for uri ${JSON.stringify(uri)}`;
}
