import { type Origin, type Translation, type TreeBuilder, createTreeBuilder } from '../foreign.ts';
import { type Problem, error, warning } from '../message.ts';
import { type MappingNode, type Path, keyPosition, nearest, printPath, wholeSource } from '../tree.ts';
import type { AgentConfig, OtlpSource } from './schema.ts';

export interface AgentWorld {
  readonly env: ReadonlyMap<string, string>;
  /** Not on AWS: nobody is asked where this machine is. */
  readonly isOnPremise?: boolean;
  /** Where the log goes when the file does not say; stderr when undefined. */
  readonly logFile?: string;
  /** As its common settings say. */
  readonly imdsRetries?: number;
}

/** From the agent's model to the Collector's (specification: configuration 3.3 to 3.5 and 7.2). */
export function translate(config: AgentConfig, root: MappingNode, world: AgentWorld): Translation {
  const builder = createTreeBuilder(root.position);
  const scope: Scope = { config, root, world, builder, problems: [] };
  setLogs(scope);
  if (config.traces) translateTraces(config.traces, scope);
  if (config.opentelemetry?.collect.otlp) translateOpenTelemetry(config.opentelemetry, scope);
  if (!config.traces && !config.opentelemetry?.collect.otlp) {
    const sections = [...root.entries.keys()].filter((name) => name !== 'agent').join(', ');
    const ignored = sections === '' ? '' : ` (ignored: ${sections})`;
    scope.problems.push(
      error(wholeSource(root.position.source), '', `no traces source${ignored}; Raybridge has nothing to do`),
    );
  }
  const failed = scope.problems.some(({ severity }) => severity === 'error');
  return { root: failed ? undefined : builder.root(), problems: scope.problems, keys: builder.keys };
}

interface Scope {
  readonly config: AgentConfig;
  readonly root: MappingNode;
  readonly world: AgentWorld;
  readonly builder: TreeBuilder;
  readonly problems: Problem[];
}

function originOf({ root }: Scope, path: Path): Origin {
  const parent = nearest(root, path.slice(0, -1));
  const isThere = parent.kind === 'mapping' && parent.entries.has(String(path.at(-1)));
  return { position: isThere ? keyPosition(root, path) : nearest(root, path).position, key: printPath(path) };
}

function setLogs(scope: Scope): void {
  const { config, builder, world } = scope;
  const { debug, quiet, logfile = world.logFile ?? '' } = config.agent;
  const level = quiet ? 'error' : 'debug';
  if (quiet || debug)
    builder.set(
      ['service', 'telemetry', 'logs', 'level'],
      level,
      originOf(scope, ['agent', quiet ? 'quiet' : 'debug']),
    );
  if (logfile !== '')
    builder.set(['service', 'telemetry', 'logs', 'output_paths'], [logfile], originOf(scope, ['agent', 'logfile']));
}

type Traces = NonNullable<AgentConfig['traces']>;

/** The indexed attributes of Application Signals, as the agent sets them. */
const applicationSignalsIndex = [
  'aws.local.service',
  'aws.local.operation',
  'aws.local.environment',
  'aws.remote.service',
  'aws.remote.operation',
  'aws.remote.environment',
  'aws.remote.resource.identifier',
  'aws.remote.resource.type',
];

function translateTraces(traces: Traces, scope: Scope): void {
  const { builder } = scope;
  const { xray, otlp, application_signals: signals, app_signals: older } = traces.traces_collected;
  const collected: Path = ['traces', 'traces_collected'];
  const receivers: string[] = [];
  if (xray) {
    receivers.push('awsxray');
    const udp = originOf(scope, [...collected, 'xray', 'bind_address']);
    builder.set(['receivers', 'awsxray', 'endpoint'], xray.bind_address ?? '127.0.0.1:2000', udp);
    const tcp = originOf(scope, [...collected, 'xray', 'tcp_proxy', 'bind_address']);
    const endpoint = xray.tcp_proxy?.bind_address ?? '127.0.0.1:2000';
    builder.set(['receivers', 'awsxray', 'proxy_server', 'endpoint'], endpoint, tcp);
    setIdentity(traces, scope, ['receivers', 'awsxray', 'proxy_server'], 'aws_endpoint');
  }
  if (otlp) {
    const isList = Array.isArray(otlp);
    for (const [i, source] of (isList ? otlp : [otlp]).entries()) {
      receivers.push(...setOtlp(source, isList ? [...collected, 'otlp', i] : [...collected, 'otlp'], scope));
    }
  }
  const origin = originOf(scope, collected);
  if (signals !== undefined || older !== undefined) {
    const key = signals === undefined ? 'app_signals' : 'application_signals';
    const place = originOf(scope, [...collected, key]);
    const text = 'Application Signals metrics are not produced; traces are';
    scope.problems.push(warning(place.position, place.key ?? '', text));
    receivers.push('otlp/app_signals');
    const endpoints = { grpc: { endpoint: '0.0.0.0:4315' }, http: { endpoint: '0.0.0.0:4316' } };
    builder.set(['receivers', 'otlp/app_signals', 'protocols'], endpoints, place);
    builder.set(['exporters', 'awsxray', 'indexed_attributes'], applicationSignalsIndex, place);
    if (!xray) {
      builder.set(['extensions', 'awsproxy', 'endpoint'], '0.0.0.0:2000', place);
      setIdentity(traces, scope, ['extensions', 'awsproxy'], 'aws_endpoint');
      builder.set(['service', 'extensions'], ['awsproxy'], place);
    }
  }
  setExporter(traces, scope);
  builder.set(
    ['service', 'pipelines', 'traces/xray'],
    { receivers: [...new Set(receivers)], exporters: ['awsxray'] },
    origin,
  );
}

function setExporter(traces: Traces, scope: Scope): void {
  const { builder } = scope;
  const exporter: Path = ['exporters', 'awsxray'];
  setIdentity(traces, scope, exporter, 'endpoint');
  if (traces.concurrency !== undefined) {
    builder.set([...exporter, 'num_workers'], traces.concurrency, originOf(scope, ['traces', 'concurrency']));
  }
  if (traces.resource_arn !== undefined) {
    builder.set([...exporter, 'resource_arn'], traces.resource_arn, originOf(scope, ['traces', 'resource_arn']));
  }
  if (traces.transit_spans_in_otlp_format !== undefined) {
    const origin = originOf(scope, ['traces', 'transit_spans_in_otlp_format']);
    builder.set([...exporter, 'transit_spans_in_otlp_format'], traces.transit_spans_in_otlp_format, origin);
  }
  builder.set([...exporter, 'telemetry'], { enabled: true, include_metadata: true }, { position: scope.root.position });
}

/** What exporter and proxy have in common: where AWS is, and who we are there. */
function setIdentity(traces: Traces | undefined, scope: Scope, target: Path, endpointKey: string): void {
  const { agent } = scope.config;
  const { builder, world } = scope;
  const set = (member: string, value: string | boolean | number | undefined, path: Path): void => {
    if (value !== undefined && value !== '') builder.set([...target, member], value, originOf(scope, path));
  };
  if (traces?.region_override !== undefined) set('region', traces.region_override, ['traces', 'region_override']);
  else set('region', agent.region, ['agent', 'region']);
  const own = traces?.credentials?.role_arn;
  const path: Path = own === undefined ? ['agent', 'credentials', 'role_arn'] : ['traces', 'credentials', 'role_arn'];
  set('role_arn', fromEnvironment(own ?? agent.credentials?.role_arn, world), path);
  set(endpointKey, traces?.endpoint_override, ['traces', 'endpoint_override']);
  set('proxy_address', traces?.proxy_override, ['traces', 'proxy_override']);
  set('local_mode', traces?.local_mode ?? (world.isOnPremise || undefined), ['traces', 'local_mode']);
  set('imds_retries', world.imdsRetries, ['agent']);
  if (!traces?.insecure) return;
  const origin = originOf(scope, ['traces', 'insecure']);
  if (endpointKey === 'endpoint') builder.set([...target, 'no_verify_ssl'], true, origin);
  else builder.set([...target, 'tls', 'insecure'], true, origin);
}

/** Only the ARN of a role may name a variable; one that is not set means no role. */
function fromEnvironment(text: string | undefined, { env }: AgentWorld): string | undefined {
  const name = /^\$\{(\w+)\}$/.exec(text ?? '')?.[1];
  return name === undefined ? text : env.get(name);
}

/** A receiver for each endpoint; with neither given both defaults, with one given that one only. */
function setOtlp(
  source: Pick<OtlpSource, 'grpc_endpoint' | 'http_endpoint' | 'tls'>,
  path: Path,
  scope: Scope,
): readonly string[] {
  const { builder } = scope;
  const neither = source.grpc_endpoint === undefined && source.http_endpoint === undefined;
  const wanted = [
    ['grpc', source.grpc_endpoint ?? (neither ? '127.0.0.1:4317' : undefined)],
    ['http', source.http_endpoint ?? (neither ? '127.0.0.1:4318' : undefined)],
  ] as const;
  return wanted.flatMap(([protocol, endpoint]) => {
    if (endpoint === undefined) return [];
    const id = `otlp/${protocol}_${endpoint.replaceAll(/[^\w.-]/g, '_')}`;
    const target: Path = ['receivers', id, 'protocols', protocol];
    builder.set([...target, 'endpoint'], endpoint, originOf(scope, [...path, `${protocol}_endpoint`]));
    setTls(source.tls, [...path, 'tls'], [...target, 'tls'], scope);
    return [id];
  });
}

function setTls(tls: OtlpSource['tls'], path: Path, target: Path, scope: Scope): void {
  if (!tls || tls.insecure) return;
  for (const name of ['ca_file', 'cert_file', 'key_file'] as const) {
    const file = tls[name];
    if (file !== undefined) scope.builder.set([...target, name], file, originOf(scope, [...path, name]));
  }
}

/** Traces of the `opentelemetry` section go to X-Ray's own OTLP endpoint. */
function translateOpenTelemetry(section: NonNullable<AgentConfig['opentelemetry']>, scope: Scope): void {
  const { builder, config } = scope;
  const path: Path = ['opentelemetry', 'collect', 'otlp'];
  const origin = originOf(scope, path);
  const receivers = setOtlp(section.collect.otlp ?? {}, path, scope);
  const { region } = config.agent;
  const sigv4: Path = ['extensions', 'sigv4auth/opentelemetry'];
  builder.set([...sigv4, 'service'], 'xray', origin);
  if (region !== undefined) builder.set([...sigv4, 'region'], region, originOf(scope, ['agent', 'region']));
  const role = fromEnvironment(config.agent.credentials?.role_arn, scope.world);
  if (role !== undefined)
    builder.set([...sigv4, 'assume_role', 'arn'], role, originOf(scope, ['agent', 'credentials', 'role_arn']));
  const url = `https://xray.${region ?? scope.world.env.get('AWS_REGION') ?? 'us-east-1'}.amazonaws.com/v1/traces`;
  const exporter: Path = ['exporters', 'otlp_http/opentelemetry'];
  builder.set([...exporter, 'traces_endpoint'], url, origin);
  builder.set([...exporter, 'auth', 'authenticator'], 'sigv4auth/opentelemetry', origin);
  const attributes = Object.entries(section.resource_attributes);
  const processors =
    attributes.length > 0
      ? ['resource/opentelemetry', 'resourcedetection/opentelemetry']
      : ['resourcedetection/opentelemetry'];
  if (attributes.length > 0) {
    const actions = attributes.map(([key, value]) => ({ key, value, action: 'upsert' }));
    const place = originOf(scope, ['opentelemetry', 'resource_attributes']);
    builder.set(['processors', 'resource/opentelemetry', 'attributes'], actions, place);
  }
  builder.set(['processors', 'resourcedetection/opentelemetry', 'detectors'], ['env', 'ec2', 'ecs', 'eks'], origin);
  const before = nearest(builder.root(), ['service', 'extensions']);
  const others =
    before.kind === 'list' ? before.items.flatMap((item) => (item.kind === 'scalar' ? [String(item.value)] : [])) : [];
  builder.set(['service', 'extensions'], [...others, 'sigv4auth/opentelemetry'], origin);
  const pipeline = { receivers, processors, exporters: ['otlp_http/opentelemetry'] };
  builder.set(['service', 'pipelines', 'traces/opentelemetry'], pipeline, origin);
}
