/**
 * Which program's configuration a text is (specification: configuration 6.2 and 6.3). The file's name
 * only helps where the content allows several.
 */
import type { Format } from './format-names.ts';
import { type Problem, error } from './message.ts';
import { type MappingNode, isNull, wholeSource } from './tree.ts';
import { parseYaml } from './yaml.ts';

/** What a text holds instead of a configuration: the resource that wraps one, or a piece of one. */
export interface Wrapper {
  readonly problem: Problem;
}

const classicSection = /^\s*\[(?:SERVICE|INPUT|OUTPUT|FILTER|PARSER|MULTILINE_PARSER|CUSTOM)S?\]\s*$/im;
const classicCommand = /^@(?:SET|INCLUDE)\b/i;
/** `AWS_RegionEndpoint=eu-west-1` on every line. */
const environmentLine = /^(?:export\s+)?[A-Za-z_]\w*=/;

export function detectFormat({ source, text }: { readonly source: string; readonly text: string }): Format | Wrapper {
  const lines = significantLines(text);
  const [first = ''] = lines;
  if (first.startsWith('{') || first.startsWith('"agent"')) return detectJson(source, text);
  if (classicCommand.test(first) || classicSection.test(text)) return 'fluent-bit';
  if (lines.length > 0 && lines.every((line) => environmentLine.test(line))) return 'xrayconnector';
  const { root } = parseYaml(text, { source, repeatedKeys: 'list' });
  // A text that is no YAML is told so by the reader of the format that most people have; one line of
  // the XRayConnector's own file is not YAML either.
  if (root?.kind !== 'mapping') return connectorKeys.test(text) ? 'xrayconnector' : byName(source);
  return detectMapping(root, source);
}

const connectorKeys = /^\s*(?:OTLP_ENDPOINT|AWS_RegionEndpoint|PollingIntervalSeconds)\s*:/m;

function significantLines(text: string): readonly string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function byName(source: string): Format {
  if (source.endsWith('.conf')) return 'fluent-bit';
  return source.endsWith('.json') ? 'cloudwatch-agent' : 'otelcol';
}

const agentKeys = ['agent', 'traces', 'metrics', 'logs', 'opentelemetry', 'csm'];
const taskKeys = ['containerDefinitions', 'taskDefinition', 'family'];

function detectJson(source: string, text: string): Format | Wrapper {
  const { root } = parseYaml(text, { source });
  if (root?.kind !== 'mapping')
    return /"(?:traces|metrics)_collected"/.test(text) ? 'cloudwatch-agent' : byName(source);
  const has = (name: string) => root.entries.has(name);
  if (taskKeys.some(has)) {
    return wrapper(root, 'this is an ECS task definition, not a configuration', [
      'the configuration is what the container is given: the file after --config in its command, or the text of AOT_CONFIG_CONTENT',
    ]);
  }
  if (has('receivers') || has('exporters') || has('service')) return 'otelcol';
  if (has('traces_collected') || has('xray')) {
    return wrapper(root, 'this looks like the inside of "traces"', ['wrap it in {"traces": …}']);
  }
  return agentKeys.some(has) || source.endsWith('.json') ? 'cloudwatch-agent' : 'otelcol';
}

const collectorKeys = ['receivers', 'exporters', 'processors', 'extensions', 'connectors'];
const fluentBitKeys = ['pipeline', 'includes', 'parsers', 'multiline_parsers', 'upstream_servers', 'customs'];
const daemonKeys = [
  'TotalBufferSizeMB',
  'Concurrency',
  'Socket',
  'Logging',
  'LocalMode',
  'ResourceARN',
  'RoleARN',
  'NoVerifySSL',
  'ProxyAddress',
  'MemoryLimit',
  'Processor',
];
const helmXrayKeys = ['region', 'loglevel', 'roleArn', 'containerPort'];

function detectMapping(root: MappingNode, source: string): Format | Wrapper {
  const has = (name: string) => root.entries.has(name);
  const member = (name: string): MappingNode | undefined => {
    const value = root.entries.get(name)?.value;
    return value?.kind === 'mapping' ? value : undefined;
  };
  if (has('apiVersion') && has('kind')) return detectManifest(root);
  const service = member('service');
  if (['pipelines', 'telemetry', 'extensions'].some((name) => service?.entries.has(name))) return 'otelcol';
  if (collectorKeys.filter(has).length > 0) return 'otelcol';
  if (fluentBitKeys.some((name) => [...root.entries.keys()].some((key) => key.toLowerCase() === name)))
    return 'fluent-bit';
  if (['flush', 'log_level', 'http_server'].some((name) => service?.entries.has(name))) return 'fluent-bit';
  if (daemonKeys.some(has) || (has('Version') && (has('Region') || has('Endpoint')))) return 'xray';
  if (['OTLP_ENDPOINT', 'AWS_RegionEndpoint', 'PollingIntervalSeconds'].some(has)) return 'xrayconnector';
  const xray = member('xray');
  if (xray && [...xray.entries.keys()].every((key) => helmXrayKeys.includes(key))) return 'xray';
  if (['serviceAccount', 'image', 'nodeSelector'].some(has)) {
    return wrapper(root, 'these are values of a Helm chart, not a configuration', [
      'pass the configuration file that the chart renders',
    ]);
  }
  if (has('AWSTemplateFormatVersion') || has('Resources')) {
    return wrapper(root, 'this is a CloudFormation template, not a configuration', [
      'pass the configuration that it gives to the container',
    ]);
  }
  const services = member('services');
  if (
    services &&
    [...services.entries.values()].some(({ value }) => value.kind === 'mapping' && value.entries.has('image'))
  ) {
    return wrapper(root, 'this is a Docker Compose file, not a configuration', [
      'pass the file that a service mounts or names in its command',
    ]);
  }
  return /(?:^|\/)(?:cfg|xray|xray-daemon)\.ya?ml$/.test(source) ? 'xray' : 'otelcol';
}

/** Kubernetes: the data of the XRayConnector's Secret counts as its configuration; others are told where theirs is. */
function detectManifest(root: MappingNode): Format | Wrapper {
  const data = [root.entries.get('stringData')?.value, root.entries.get('data')?.value];
  if (data.some((node) => node?.kind === 'mapping' && node.entries.has('OTLP_ENDPOINT'))) return 'xrayconnector';
  const kind = root.entries.get('kind')?.value;
  const name = kind?.kind === 'scalar' ? String(kind.value) : '';
  const spec = root.entries.get('spec')?.value;
  const config = spec?.kind === 'mapping' ? (spec.entries.get('config') ?? spec.entries.get('otelConfig')) : undefined;
  const place = config && !isNull(config.value) ? `spec.config (line ${config.position.line})` : undefined;
  return wrapper(root, `this is a Kubernetes resource${name === '' ? '' : ` (${name})`}, not a configuration`, [
    place === undefined
      ? 'pass what stands in its data, or in spec.config, as the configuration'
      : `the configuration is under ${place}; pass what stands there`,
  ]);
}

function wrapper(root: MappingNode, text: string, hints: readonly string[]): Wrapper {
  const [first] = root.entries.values();
  return { problem: error(first?.position ?? wholeSource(root.position.source), '', text, { hints }) };
}
