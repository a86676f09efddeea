/**
 * The environment of dtPaTh's XRayConnector, as variables, as a YAML mapping of them, or as the Secret
 * that holds them (specification: configuration 7.4).
 */
import { type Translation, createTreeBuilder } from '../foreign.ts';
import { type Problem, error, problem, warning } from '../message.ts';
import { type Entry, type MappingNode, type Position, mapping, scalar, wholeSource } from '../tree.ts';
import { parseYaml } from '../yaml.ts';

export function readConnectorConfig({ source, text }: { readonly source: string; readonly text: string }): Translation {
  const problems: Problem[] = [];
  const root = parseVariables(text, source, problems);
  const none = { root: undefined, keys: new Map<string, string>() };
  if (!root) return { ...none, problems };
  return translate(root, problems);
}

/** Lines `NAME=value`, or YAML, in which a comma after a quoted value is forgiven: the file that people start from has one. */
function parseVariables(text: string, source: string, problems: Problem[]): MappingNode | undefined {
  if (/^\s*(?:#.*\n\s*)*(?:export\s+)?[A-Za-z_]\w*=/.test(text)) return fromLines(text, source);
  const lines = text.split('\n').map((line, i) => {
    const comma = /^(\s*[\w.]+\s*:\s*(?:"[^"]*"|'[^']*'))(,)(\s*(?:#.*)?)$/.exec(line);
    if (!comma) return line;
    const position = { source, line: i + 1, column: (comma[1]?.length ?? 0) + 1, length: 1 };
    problems.push(warning(position, '', 'a comma after the value is not YAML; it is left out'));
    return `${comma[1]} ${comma[3]}`;
  });
  const parsed = parseYaml(lines.join('\n'), { source });
  problems.push(...parsed.problems);
  if (parsed.root?.kind !== 'mapping') {
    if (parsed.problems.length === 0) problems.push(error(wholeSource(source), '', 'expected names and values'));
    return undefined;
  }
  const inner = [parsed.root.entries.get('stringData')?.value, parsed.root.entries.get('data')?.value];
  return inner.find((node) => node?.kind === 'mapping') ?? parsed.root;
}

function fromLines(text: string, source: string): MappingNode {
  const entries = new Map<string, Entry>();
  for (const [i, line] of text.split('\n').entries()) {
    const [, name, value = ''] = /^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined) continue;
    const position: Position = { source, line: i + 1, column: line.indexOf(name) + 1, length: name.length };
    entries.set(name, { position, value: scalar(position, value.replace(/^(["'])(.*)\1$/, '$2')) });
  }
  return mapping(wholeSource(source), entries);
}

/** What becomes of a variable that sets nothing here. */
const others: readonly (readonly [pattern: RegExp, severity: 'debug' | 'warning', text: string])[] = [
  [/^EnableJsonPayloadCompression$|^SQLDB_Connection$/, 'debug', 'has no effect; there is no database here'],
  [/^(?:AzureWebJobsStorage|FUNCTIONS_\w+|WEBSITE_\w+)$/, 'debug', 'has no effect outside of Azure Functions'],
  [/^EnableMetrics$/, 'warning', 'has no effect; metrics of Raybridge are at /metrics'],
  [/^OTEL_EXPORTER_OTLP_METRICS_\w+$/, 'debug', 'has no effect; metrics of Raybridge are at /metrics'],
];

const pollingNames = ['MaximumReplayHistorySeconds', 'DefaultMaximumReplayHistorySeconds'];

function translate(root: MappingNode, problems: Problem[]): Translation {
  const builder = createTreeBuilder(root.position);
  const left = new Map(root.entries);
  const take = (name: string) => {
    const entry = left.get(name);
    left.delete(name);
    const value = entry?.value.kind === 'scalar' && entry.value.value !== null ? String(entry.value.value) : '';
    return { value, origin: { position: entry?.position ?? wholeSource(root.position.source), key: name } };
  };
  const isPlaceholder = (text: string) => /^<[^<>]+>$/.test(text);

  const endpoint = take('OTLP_ENDPOINT');
  const exporter = ['exporters', 'otlp_http'];
  if (endpoint.value === '') problems.push(error(endpoint.origin.position, 'OTLP_ENDPOINT', 'is required'));
  else if (isPlaceholder(endpoint.value)) {
    const text = `${JSON.stringify(endpoint.value)} looks like a placeholder; nothing can be sent before it is replaced`;
    problems.push(warning(endpoint.origin.position, 'OTLP_ENDPOINT', text));
    builder.set([...exporter, 'traces_endpoint'], 'https://placeholder.invalid/v1/traces', endpoint.origin);
  } else {
    const url = endpoint.value.includes('v1/traces')
      ? endpoint.value
      : `${endpoint.value.replace(/\/$/, '')}/v1/traces`;
    builder.set([...exporter, 'traces_endpoint'], url, endpoint.origin);
  }
  const authorization = take('OTLP_HEADER_AUTHORIZATION');
  if (authorization.value !== '' && !isPlaceholder(authorization.value)) {
    builder.set([...exporter, 'headers', 'authorization'], authorization.value, authorization.origin);
  }
  const poller = ['receivers', 'awsxray_poller'];
  builder.set(poller, {}, { position: root.position });
  for (const [name, member] of [
    ['AWS_RegionEndpoint', 'region'],
    ['AWS_RoleArn', 'role_arn'],
    ['AWS_IdentityKey', 'access_key_id'],
    ['AWS_SecretKey', 'secret_access_key'],
  ] as const) {
    const { value, origin } = take(name);
    if (value === '') continue;
    if (isPlaceholder(value))
      problems.push(warning(origin.position, name, `${JSON.stringify(value)} looks like a placeholder`));
    else builder.set([...poller, member], value, origin);
  }
  const setDuration = (name: string, member: string, unit: 's' | 'm'): void => {
    const { value, origin } = take(name);
    if (value === '') return;
    if (/^\d+$/.test(value)) builder.set([...poller, member], `${value}${unit}`, origin);
    else problems.push(error(origin.position, name, `expected a whole number, got ${JSON.stringify(value)}`));
  };
  setDuration('PollingIntervalMinutes', 'interval', 'm');
  setDuration('PollingIntervalSeconds', 'interval', 's');
  for (const name of pollingNames) setDuration(name, 'max_replay', 's');
  const autoStart = take('AutoStart');
  if (!/^true$/i.test(autoStart.value)) {
    problems.push(warning(autoStart.origin.position, 'AutoStart', 'is not True; polling starts all the same'));
  }
  for (const [name, { position }] of left) problems.push(otherVariable(name, position));
  builder.set(
    ['service', 'pipelines', 'traces'],
    { receivers: ['awsxray_poller'], exporters: ['otlp_http'] },
    { position: root.position },
  );
  const failed = problems.some(({ severity }) => severity === 'error');
  return { root: failed ? undefined : builder.root(), problems, keys: builder.keys };
}

function otherVariable(name: string, position: Position): Problem {
  if (/^(?:SimulatorMode|SIM_\w+)$/.test(name))
    return error(position, name, 'is the test mode of the XRayConnector, which is not here');
  const known = others.find(([pattern]) => pattern.test(name));
  return problem(
    known?.[1] ?? 'debug',
    position,
    name,
    known?.[2] ?? 'is not a variable of the XRayConnector; it has no effect',
  );
}
