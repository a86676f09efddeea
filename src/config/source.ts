/**
 * Where a configuration comes from: `--config LOCATION` and `--set a.b=c` (specification:
 * configuration 1.1). Nothing is read here but through the caller's `read` and `env`.
 */
import { type Problem, error } from './message.ts';
import { type Position, wholeSource } from './tree.ts';

export interface Location {
  readonly scheme: Scheme;
  /** What follows the scheme: a path, a variable's name, or YAML. */
  readonly opaque: string;
  /** As messages name it. */
  readonly source: string;
}

export type Scheme = 'file' | 'env' | 'yaml';

/** What the world gives to the reading of a configuration. */
export interface World {
  /** The text of a file; rejects when it cannot be read. */
  readonly read: (path: string) => Promise<string>;
  /** The names in a folder; rejects when it cannot be read. Absent where nothing is looked for by pattern. */
  readonly list?: (folder: string) => Promise<readonly string[]>;
  readonly env: ReadonlyMap<string, string>;
}

/** The position of problems that no source can be blamed for. */
const commandLine: Position = wholeSource('command line');

const schemes: ReadonlySet<string> = new Set<Scheme>(['file', 'env', 'yaml']);
/** One letter before the colon is a Windows drive, not a scheme. */
const uriPattern = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s;

/** The location of the `ordinal`th `--config`; without a scheme it is a file. */
export function parseLocation(text: string, ordinal: number): Location | Problem {
  const parts = uriPattern.exec(text);
  if (!parts) return { scheme: 'file', opaque: text, source: text };
  const [, scheme = '', opaque = ''] = parts;
  if (!isScheme(scheme)) return error(commandLine, `--config #${ordinal}`, unsupportedScheme(scheme, text));
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
  return readFile(opaque, world, wholeSource(source));
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
  if (scheme === 'http' || scheme === 'https') {
    return `scheme "${scheme}" is not supported in this version; download the document and use file:`;
  }
  if (scheme === 's3') return 'scheme "s3" is not supported; download the object and use file:';
  if (scheme === 'secretsmanager') {
    return 'scheme "secretsmanager" is not supported; put the secret into an environment variable and use ${env:NAME}';
  }
  return `scheme "${scheme}" is not supported for uri ${JSON.stringify(uri)}`;
}
