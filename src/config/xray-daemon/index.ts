/**
 * `cfg.yaml` and the flags of the X-Ray daemon, and the values of the Helm chart that renders one
 * (specification: configuration 5 and 7.1).
 */
import { z } from 'zod';
import { decode } from '../decode.ts';
import { type Translation, createTreeBuilder } from '../foreign.ts';
import { mergeMappings } from '../merge.ts';
import { type Problem, error, info, warning } from '../message.ts';
import { endpoint, noEffect, refused } from '../schema.ts';
import { suggest } from '../suggest.ts';
import {
  type MappingNode,
  type Path,
  type Position,
  keyPosition,
  mapping,
  nearest,
  printPath,
  scalar,
  wholeSource,
} from '../tree.ts';
import { parseYaml } from '../yaml.ts';

const migrate = 'Use X-Ray Daemon Config Migration Script to update the config file.';

/** YAML 1.1, which the daemon reads, has more words for the two. */
const flag = z
  .union([z.boolean(), z.enum(['yes', 'Yes', 'YES', 'on', 'On', 'ON', 'no', 'No', 'NO', 'off', 'Off', 'OFF', ''])], {
    error: 'expected true or false',
  })
  .transform((value) => value === true || /^(?:yes|on)$/i.test(String(value)))
  .default(false);

const address = z.union([endpoint, z.literal('')]).default('');

function removed(instead?: string) {
  return refused(
    instead === undefined ? 'is not supported any more' : `is a key of an older version; write ${instead}. ${migrate}`,
  );
}

const schema = z.strictObject({
  Version: z
    .union([z.literal(1), z.literal(2)], {
      error: ({ input }) => (input === undefined ? versionMissing : versionWrong),
    })
    .default(2),
  TotalBufferSizeMB: noEffect(
    z
      .int()
      .refine((megabytes) => megabytes === 0 || megabytes >= 3, {
        error: 'Not enough Buffers Memory Allocated. Min Buffers Memory required: 3 MB.',
      })
      .optional(),
    'has no effect; what waits lies in the durable queue on disk, which is bounded',
  ),
  Concurrency: z.int().min(0).default(0),
  Endpoint: z.string().default(''),
  Region: z.string().default(''),
  Socket: z.strictObject({ UDPAddress: address, TCPAddress: address, BufferSizeKB: removed() }).prefault({}),
  Logging: z
    .strictObject({
      LogRotation: flag,
      LogLevel: z.string().default(''),
      LogPath: z.string().default(''),
      LogFormat: removed(),
    })
    .prefault({}),
  LocalMode: flag,
  ResourceARN: z.string().default(''),
  RoleARN: z.string().default(''),
  NoVerifySSL: flag,
  ProxyAddress: z.string().default(''),
  proxyserver: noEffect(z.unknown().optional()),
  MemoryLimit: removed('TotalBufferSizeMB'),
  LogRotation: removed('Logging.LogRotation'),
  Profile: removed(),
  Processor: removed('Region, Endpoint and Concurrency at the top'),
});

const versionMissing = `Config Version is missing. ${migrate}`;
const versionWrong = `Config Version Setting is not correct. ${migrate}`;

const defaultAddress = '127.0.0.1:2000';

/** `flags` are those of the command line, as the file would have them; they win. */
export function readDaemonConfig(
  file: { readonly source: string; readonly text: string } | undefined,
  flags?: MappingNode,
): Translation {
  const empty = mapping(wholeSource('command line'), new Map());
  const parsed = file ? parseYaml(file.text, { source: file.source }) : { root: empty, problems: [] };
  const none = { root: undefined, keys: new Map<string, string>() };
  if (!parsed.root || parsed.problems.length > 0) return { ...none, problems: parsed.problems };
  if (parsed.root.kind !== 'mapping') {
    return { ...none, problems: [error(parsed.root.position, '', 'expected a mapping at the top')] };
  }
  const chart = chartValues(parsed.root);
  const written = chart?.root ?? parsed.root;
  const version = file && !chart && !written.entries.has('Version') ? [missingVersion(file.source)] : [];
  const root = flags ? mergeMappings(written, flags) : written;
  const decoded = decode(root, schema, { path: [], position: wholeSource(root.position.source) });
  const problems = [...version, ...(chart?.problems ?? []), ...decoded.problems];
  if (!decoded.value) return { ...none, problems };
  return translate(decoded.value, root, problems);
}

function missingVersion(source: string): Problem {
  return error(wholeSource(source), 'Version', 'is missing; write "Version: 2"', { original: versionMissing });
}

/** Levels of the daemon, from most to least, and the level here. */
const levels: ReadonlyMap<string, string> = new Map(
  Object.entries({
    dev: 'debug',
    debug: 'debug',
    info: 'info',
    warn: 'warn',
    error: 'error',
    prod: 'info',
    '': 'info',
  }),
);

function translate(settings: z.output<typeof schema>, root: MappingNode, found: readonly Problem[]): Translation {
  const builder = createTreeBuilder(root.position);
  const problems = [...found];
  const originOf = (path: Path) => ({ position: placeOf(root, path), key: printPath(path) });
  const receiver = ['receivers', 'awsxray'];
  const exporter = ['exporters', 'awsxray'];
  const proxy = [...receiver, 'proxy_server'];

  builder.set(
    [...receiver, 'endpoint'],
    settings.Socket.UDPAddress || defaultAddress,
    originOf(['Socket', 'UDPAddress']),
  );
  builder.set([...proxy, 'endpoint'], settings.Socket.TCPAddress || defaultAddress, originOf(['Socket', 'TCPAddress']));
  builder.set([...exporter, 'num_workers'], settings.Concurrency || 8, originOf(['Concurrency']));
  const both = (name: 'Region' | 'RoleARN' | 'ProxyAddress', member: string): void => {
    if (settings[name] === '') return;
    builder.set([...exporter, member], settings[name], originOf([name]));
    builder.set([...proxy, member], settings[name], originOf([name]));
  };
  both('Region', 'region');
  both('RoleARN', 'role_arn');
  both('ProxyAddress', 'proxy_address');
  if (settings.Endpoint !== '') {
    builder.set([...exporter, 'endpoint'], settings.Endpoint, originOf(['Endpoint']));
    builder.set([...proxy, 'aws_endpoint'], settings.Endpoint, originOf(['Endpoint']));
  }
  if (settings.LocalMode) {
    builder.set([...exporter, 'local_mode'], true, originOf(['LocalMode']));
    builder.set([...proxy, 'local_mode'], true, originOf(['LocalMode']));
  }
  if (settings.NoVerifySSL) {
    builder.set([...exporter, 'no_verify_ssl'], true, originOf(['NoVerifySSL']));
    builder.set([...proxy, 'tls', 'insecure'], true, originOf(['NoVerifySSL']));
  }
  if (settings.ResourceARN !== '')
    builder.set([...exporter, 'resource_arn'], settings.ResourceARN, originOf(['ResourceARN']));
  const ours = { position: root.position };
  builder.set([...exporter, 'telemetry'], { enabled: true, include_metadata: !settings.LocalMode }, ours);

  const { LogLevel: level, LogPath: path } = settings.Logging;
  const logs = ['service', 'telemetry', 'logs'];
  builder.set([...logs, 'level'], levels.get(level) ?? 'info', originOf(['Logging', 'LogLevel']));
  if (!levels.has(level)) problems.push(unknownLevel(level, root));
  if (path !== '') builder.set([...logs, 'output_paths'], [path], originOf(['Logging', 'LogPath']));
  builder.set(['service', 'pipelines', 'traces'], { receivers: ['awsxray'], exporters: ['awsxray'] }, ours);
  return { root: builder.root(), problems, keys: builder.keys };
}

function unknownLevel(level: string, root: MappingNode): Problem {
  const names = [...levels.keys()].filter((name) => name !== '');
  const near = suggest(level, names);
  const text = `${JSON.stringify(level)} is not a level (${names.join(', ')}); using info`;
  const hints = near.length > 0 ? [`did you mean ${JSON.stringify(near[0])}?`] : [];
  return warning(placeOf(root, ['Logging', 'LogLevel']), 'Logging.LogLevel', text, { hints });
}

function placeOf(root: MappingNode, path: Path): Position {
  const parent = nearest(root, path.slice(0, -1));
  const there = parent.kind === 'mapping' && parent.entries.has(String(path.at(-1)));
  return there ? keyPosition(root, path) : wholeSource(root.position.source);
}

/** The Helm chart okgolove/aws-xray renders these values into a file of the daemon. */
function chartValues(
  root: MappingNode,
): { readonly root: MappingNode; readonly problems: readonly Problem[] } | undefined {
  const xray = root.entries.get('xray');
  if (xray?.value.kind !== 'mapping' || root.entries.has('Socket') || root.entries.has('Version')) return undefined;
  const values = xray.value.entries;
  const at = (name: string) => values.get(name)?.position ?? xray.position;
  const builder = createTreeBuilder(root.position);
  const port = values.get('containerPort')?.value;
  const address = `0.0.0.0:${port?.kind === 'scalar' ? String(port.value) : '2000'}`;
  for (const name of ['UDPAddress', 'TCPAddress'])
    builder.set(['Socket', name], address, { position: at('containerPort') });
  for (const [name, target] of [
    ['region', ['Region']],
    ['roleArn', ['RoleARN']],
    ['loglevel', ['Logging', 'LogLevel']],
  ] as const) {
    const value = values.get(name);
    if (value) builder.graft(target, value.value, { position: value.position });
  }
  builder.graft(['Version'], scalar(xray.position, 1), { position: xray.position });
  const others = [...root.entries].filter(([name]) => name !== 'xray');
  return {
    root: builder.root(),
    problems: [
      warning(
        xray.position,
        'xray',
        'values of the Helm chart okgolove/aws-xray are read as the chart would render them',
      ),
      ...others.map(([name, { position }]) => info(position, name, 'has no effect outside of Kubernetes')),
    ],
  };
}
