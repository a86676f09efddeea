import { existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { createIdentity } from '../../aws/identity.ts';
import { createTreeBuilder } from '../../config/foreign.ts';
import { problemLine } from '../../config/index.ts';
import { type MappingNode, type Path, wholeSource } from '../../config/tree.ts';
import { dataDirOfFront } from '../../data-dir.ts';
import { RaybridgeError } from '../../errors.ts';
import { version } from '../../version.ts';
import { loadConfiguration } from '../configuration.ts';
import { run } from '../run.ts';
import { type GoFlag, parseGoFlags } from './flags.ts';
import type { Front } from './index.ts';

/** Flags of the X-Ray daemon 3.6.6, and the keys of its file that they stand for. */
const flags: readonly (GoFlag & { readonly path?: Path; readonly about: string })[] = [
  {
    names: ['a', 'resource-arn'],
    kind: 'text',
    path: ['ResourceARN'],
    about: 'Amazon Resource Name (ARN) of the AWS resource running the daemon.',
  },
  { names: ['o', 'local-mode'], kind: 'switch', path: ['LocalMode'], about: "Don't check for EC2 instance metadata." },
  {
    names: ['m', 'buffer-memory'],
    kind: 'text',
    path: ['TotalBufferSizeMB'],
    about: 'Change the amount of memory in MB that buffers can use (minimum 3).',
  },
  {
    names: ['n', 'region'],
    kind: 'text',
    path: ['Region'],
    about: 'Send segments to X-Ray service in a specific region.',
  },
  {
    names: ['b', 'bind'],
    kind: 'text',
    path: ['Socket', 'UDPAddress'],
    about: 'Overrides default UDP address (127.0.0.1:2000).',
  },
  {
    names: ['t', 'bind-tcp'],
    kind: 'text',
    path: ['Socket', 'TCPAddress'],
    about: 'Overrides default TCP address (127.0.0.1:2000).',
  },
  {
    names: ['r', 'role-arn'],
    kind: 'text',
    path: ['RoleARN'],
    about: 'Assume the specified IAM role to upload segments to a different account.',
  },
  { names: ['c', 'config'], kind: 'text', about: 'Load a configuration file from the specified path.' },
  {
    names: ['f', 'log-file'],
    kind: 'text',
    path: ['Logging', 'LogPath'],
    about: 'Output logs to the specified file path.',
  },
  {
    names: ['l', 'log-level'],
    kind: 'text',
    path: ['Logging', 'LogLevel'],
    about: 'Log level, from most verbose to least: dev, debug, info, warn, error, prod (default).',
  },
  {
    names: ['p', 'proxy-address'],
    kind: 'text',
    path: ['ProxyAddress'],
    about: 'Proxy address through which to upload segments.',
  },
  { names: ['v', 'version'], kind: 'switch', about: 'Show AWS X-Ray daemon version.' },
  { names: ['h', 'help'], kind: 'switch', about: 'Show this screen' },
];

const automaticFiles = ['/etc/amazon/xray/cfg.yaml', 'cfg.yaml'];
const wrongCommandLine = 2;
/** The daemon's own; it is what its arguments and files are compatible with. */
const daemonVersion = '3.6.6';

/** `xray`: the X-Ray daemon. */
export const xrayFront: Front = {
  async run(args) {
    const { values, problem } = parseGoFlags(args, flags);
    const last = (name: string): string | undefined => values.get(name)?.at(-1);
    if (problem !== undefined || last('h') !== undefined) {
      process.stderr.write(`${problem === undefined ? '' : `${problem}\n`}${usage()}`);
      process.exitCode = problem === undefined ? 0 : wrongCommandLine;
      return;
    }
    if (last('v') !== undefined) {
      process.stdout.write(`AWS X-Ray daemon version: ${daemonVersion} (raybridge ${version})\n`);
      return;
    }
    const file = last('c') ?? automaticFiles.find((path) => existsSync(path));
    const daemonFlags = toTree(values);
    await run({
      async load() {
        const options = { config: file === undefined ? [] : [file], set: [], format: 'xray' as const };
        const loaded = await loadConfiguration(options, { daemonFlags });
        for (const found of loaded.problems) {
          if (found.severity === 'error')
            say('Error', `${problemLine(found)}${found.original === undefined ? '' : ` (${found.original})`}`);
          if (found.severity === 'warning') say('Warn', problemLine(found));
        }
        return loaded;
      },
      dataDir: dataDirOfFront('xray', process.env),
      logTo: { write: (line) => sayLogged(line) },
      async onStarted(status, { tree }) {
        say('Info', `Initializing AWS X-Ray daemon ${daemonVersion} (raybridge ${version})`);
        const megabytes = Number(last('m') ?? 0) || Math.max(3, Math.round(totalmem() / 100 / 1024 / 1024));
        say('Info', `Using buffer memory limit of ${megabytes} MB`);
        const region = await regionOf(tree);
        say('Info', `Using region: ${region}`);
        say(
          'Info',
          `HTTP Proxy server using X-Ray Endpoint : ${textAt(tree, ['exporters', 'awsxray', 'endpoint']) ?? `https://xray.${region}.amazonaws.com`}`,
        );
        const tcp = status.listeners.find(({ transport }) => transport === 'tcp');
        const udp = status.listeners.find(({ transport }) => transport === 'udp');
        say('Info', `Starting proxy http server on ${tcp?.address ?? ''}`);
        say('Info', `Listening for segments on ${udp?.address ?? ''}`);
      },
      onFailed: (message) => say('Error', message),
    });
  },
};

/** @throws RaybridgeError CONFIG_INVALID: there is none; the daemon does not start without one. */
async function regionOf(tree: MappingNode | undefined): Promise<string> {
  const exporter: Path = ['exporters', 'awsxray'];
  const identity = createIdentity({
    region: textAt(tree, [...exporter, 'region']),
    localMode: textAt(tree, [...exporter, 'local_mode']) === 'true',
  });
  try {
    return (await identity.region()).region;
  } catch (error) {
    const text = 'Cannot fetch region variable from config file, environment variables and ec2 metadata.';
    throw new RaybridgeError('CONFIG_INVALID', `${text} ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    });
  }
}

function textAt(tree: MappingNode | undefined, path: Path): string | undefined {
  let node: MappingNode | undefined = tree;
  for (const step of path.slice(0, -1)) {
    const value = node?.entries.get(String(step))?.value;
    node = value?.kind === 'mapping' ? value : undefined;
  }
  const value = node?.entries.get(String(path.at(-1)))?.value;
  return value?.kind === 'scalar' && value.value !== null ? String(value.value) : undefined;
}

function toTree(values: ReadonlyMap<string, readonly string[]>): MappingNode {
  const position = wholeSource('command line');
  const builder = createTreeBuilder(position);
  for (const { names, path, kind } of flags) {
    const [name = ''] = names;
    const value = values.get(name)?.at(-1);
    if (!path || value === undefined) continue;
    const isNumber = name === 'm' && /^\d+$/.test(value);
    builder.set(path, isNumber ? Number(value) : kind === 'switch' ? value === 'true' : value, {
      position,
      key: `-${name}`,
    });
  }
  return builder.root();
}

function usage(): string {
  const lines = flags.map(({ names: [short, long], about }) => `\n\t-${short}\t--${long}\t${about}`);
  return `Usage: X-Ray [options]\n${lines.join('')}\n`;
}

type Level = 'Trace' | 'Debug' | 'Info' | 'Warn' | 'Error';

/** Time zone and level as the daemon writes them: `2026-02-03T10:11:12Z [Info] text`. */
function say(level: Level, text: string): void {
  process.stderr.write(`${new Date().toISOString().replace(/\.\d+Z$/, 'Z')} [${level}] ${text}\n`);
}

const levels: ReadonlyMap<number, Level> = new Map([
  [10, 'Trace'],
  [20, 'Debug'],
  [30, 'Info'],
  [40, 'Warn'],
  [50, 'Error'],
  [60, 'Error'],
]);

/** One of pino's lines in the daemon's form. */
function sayLogged(line: string): void {
  const { level, msg, time: _, pid: __, hostname: ___, ...fields } = JSON.parse(line);
  const more = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
  say(levels.get(level) ?? 'Info', `${msg}${more}`);
}
