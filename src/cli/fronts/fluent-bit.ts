import { chdir } from 'node:process';
import { problemLine } from '../../config/index.ts';
import { dataDirOfFront } from '../../data-dir.ts';
import { version } from '../../version.ts';
import { loadConfiguration } from '../configuration.ts';
import { run } from '../run.ts';
import type { Front } from './index.ts';

interface Parsed {
  file: string | undefined;
  dryRun: boolean;
  workdir: string | undefined;
  storagePath: string | undefined;
  /** Sections of a configuration that stands on the command line, in the classic format. */
  readonly service: string[];
  readonly plugins: { readonly kind: 'INPUT' | 'OUTPUT' | 'FILTER'; readonly properties: string[] }[];
  problem: string | undefined;
  show: 'help' | 'version' | undefined;
}

const defaultFile = '/fluent-bit/etc/fluent-bit.conf';

/** `fluent-bit`. */
export const fluentBitFront: Front = {
  async run(args) {
    const parsed = parse(args);
    if (parsed.problem !== undefined) return fail(`[error] ${parsed.problem}\n`);
    if (parsed.show === 'version') return void process.stdout.write(`Fluent Bit v5.1.0 (raybridge ${version})\n`);
    if (parsed.show === 'help') return void process.stdout.write(usage);
    if (parsed.workdir !== undefined) chdir(parsed.workdir);
    const given = classicOf(parsed);
    const location = given === '' ? (parsed.file ?? defaultFile) : undefined;
    if (given !== '') process.env['FLUENT_BIT_COMMAND_LINE'] = given;
    const load = async () => {
      const options = { config: [location ?? 'env:FLUENT_BIT_COMMAND_LINE'], set: [], format: 'fluent-bit' as const };
      const loaded = await loadConfiguration(options);
      for (const found of loaded.problems) {
        if (found.severity === 'error')
          process.stderr.write(
            `[error] [config] ${problemLine(found)}${found.original === undefined ? '' : ` (${found.original})`}\n`,
          );
        if (found.severity === 'warning') process.stderr.write(`[ warn] [config] ${problemLine(found)}\n`);
      }
      return loaded;
    };
    if (parsed.dryRun) {
      const { config } = await load();
      if (config) process.stdout.write('configuration test is successful\n');
      else process.exitCode = 1;
      return;
    }
    await run({
      load,
      dataDir: parsed.storagePath ?? dataDirOfFront('fluent-bit', process.env),
      onStarted(status) {
        process.stderr.write(`Fluent Bit v5.1.0 (raybridge ${version})\n`);
        for (const { protocol, address } of status.listeners)
          process.stderr.write(`[ info] [input] listening on ${address} (${protocol})\n`);
      },
      onFailed: (message) => void process.stderr.write(`[error] ${message}\n`),
    });
  },
};

const usage = `Usage: fluent-bit [OPTION]

  -c, --config=FILE       configuration file
  -D, --dry-run           check the configuration only
  -i, --input=INPUT, -o, --output=OUTPUT, -F, --filter=FILTER
  -m, --match=MATCH, -t, --tag=TAG, -p, --prop="A=B"
  -f, --flush=SECONDS, -l, --log_file=FILE, -v, -q
  -H, --http, -L, --listen=ADDRESS, -P, --port=PORT
  -b, --storage_path=PATH, -w, --workdir=PATH
  -V, --version, -h, --help
`;

/** Short options, and their long forms. */
const longForms: Readonly<Record<string, string>> = {
  config: 'c',
  'dry-run': 'D',
  flush: 'f',
  log_file: 'l',
  verbose: 'v',
  quiet: 'q',
  http: 'H',
  listen: 'L',
  port: 'P',
  input: 'i',
  output: 'o',
  filter: 'F',
  prop: 'p',
  match: 'm',
  tag: 't',
  storage_path: 'b',
  workdir: 'w',
  version: 'V',
  help: 'h',
  daemon: 'd',
  parser: 'R',
  plugin: 'e',
  'hot-reload': 'Y',
  'enable-hot-reload': 'Y',
};
const switches = 'DvqHVhdYWZ';

function parse(args: readonly string[]): Parsed {
  const parsed: Parsed = {
    file: undefined,
    dryRun: false,
    workdir: undefined,
    storagePath: undefined,
    service: [],
    plugins: [],
    problem: undefined,
    show: undefined,
  };
  for (let i = 0; i < args.length && parsed.problem === undefined; i++) {
    const [, dashes = '', name = '', inline] = /^(--?)([^=]*)(?:=(.*))?$/s.exec(args[i] ?? '') ?? [];
    if (dashes === '--' && name === 'supervisor') continue;
    const letters = dashes === '--' ? [longForms[name] ?? ''] : /^v+$/.test(name) ? ['v'] : [name];
    const [letter = ''] = letters;
    if (switches.includes(letter) && letter !== '') take(parsed, letter, '');
    else if (letter.length === 1 && 'cflLPioFpmtbwRe'.includes(letter)) {
      const value = inline ?? args[++i];
      if (value === undefined) parsed.problem = `option -${letter} needs a value`;
      else take(parsed, letter, value);
    } else parsed.problem = `unknown option ${JSON.stringify(args[i])}`;
  }
  return parsed;
}

function take(parsed: Parsed, letter: string, value: string): void {
  const plugin = parsed.plugins.at(-1);
  switch (letter) {
    case 'c':
      parsed.file = value;
      break;
    case 'D':
      parsed.dryRun = true;
      break;
    case 'w':
      parsed.workdir = value;
      break;
    case 'b':
      parsed.storagePath = value;
      break;
    case 'V':
    case 'h':
      parsed.show = letter === 'V' ? 'version' : 'help';
      break;
    case 'i':
    case 'o':
    case 'F':
      parsed.plugins.push({
        kind: ({ i: 'INPUT', o: 'OUTPUT', F: 'FILTER' } as const)[letter],
        properties: [`name ${value}`],
      });
      break;
    case 'p':
    case 'm':
    case 't':
      if (!plugin) parsed.problem = `-${letter} belongs to a plug-in, and there is none before it`;
      else
        plugin.properties.push(
          letter === 'p' ? value.replace('=', ' ') : `${letter === 'm' ? 'match' : 'tag'} ${value}`,
        );
      break;
    default: {
      const line = serviceLines.get(letter)?.(value);
      if (line !== undefined) parsed.service.push(line);
    }
  }
}

const serviceLines: ReadonlyMap<string, (value: string) => string> = new Map([
  ['f', (value: string) => `flush ${value}`],
  ['l', (value: string) => `log_file ${value}`],
  ['v', () => 'log_level debug'],
  ['q', () => 'log_level off'],
  ['H', () => 'http_server on'],
  ['L', (value: string) => `http_listen ${value}`],
  ['P', (value: string) => `http_port ${value}`],
]);

/** Empty when a file is the configuration. */
function classicOf({ service, plugins }: Parsed): string {
  if (plugins.length === 0) return '';
  // An output without a match gets everything on the command line.
  const withMatch = plugins.map(({ kind, properties }) => ({
    kind,
    properties:
      kind === 'OUTPUT' && !properties.some((line) => line.startsWith('match'))
        ? [...properties, 'match *']
        : properties,
  }));
  return [{ kind: 'SERVICE', properties: service }, ...withMatch]
    .map(({ kind, properties }) => [`[${kind}]`, ...properties.map((line) => `    ${line}`)].join('\n'))
    .join('\n');
}

function fail(message: string): void {
  process.stderr.write(message);
  process.exitCode = 1;
}
