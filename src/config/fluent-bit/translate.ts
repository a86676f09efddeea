import type { z } from 'zod';
import { decode } from '../decode.ts';
import { type Origin, type Translation, type TreeBuilder, createTreeBuilder } from '../foreign.ts';
import { type Problem, error, info, problem, warning } from '../message.ts';
import { type Entry, type MappingNode, type Node, type Path, type Position, mapping, scalar } from '../tree.ts';
import {
  machineryPattern,
  openTelemetryInput,
  openTelemetryOutput,
  otherTraceOutputs,
  service,
  stdoutOutput,
} from './plugins.ts';
import { type TraceStep, readSteps } from './processors.ts';
import { type Property, type Section, propertyOf } from './section.ts';

/** From Fluent Bit's model to the Collector's. */
export function translate(sections: readonly Section[], whole: Position): Translation {
  const scope: Scope = { builder: createTreeBuilder(whole), problems: [], extensions: [] };
  translateService(
    sections.filter(({ kind }) => kind === 'service'),
    scope,
  );
  const inputs = sections.filter(({ kind }) => kind === 'input').flatMap((section) => readInput(section, scope));
  for (const [i, input] of inputs.entries()) setInput(input, i, scope);
  const outputs = sections.filter(({ kind }) => kind === 'output').flatMap((section) => readOutput(section, scope));
  if (inputs.length === 0) scope.problems.push(error(whole, '', 'no input takes traces; Raybridge has nothing to do'));
  else if (outputs.length === 0)
    scope.problems.push(error(whole, '', 'no output takes traces; Raybridge has nothing to do'));
  else connect(inputs, outputs, scope);
  if (scope.extensions.length > 0) scope.builder.set(['service', 'extensions'], scope.extensions, { position: whole });
  const failed = scope.problems.some(({ severity }) => severity === 'error');
  return { root: failed ? undefined : scope.builder.root(), problems: scope.problems, keys: scope.builder.keys };
}

interface Scope {
  readonly builder: TreeBuilder;
  readonly problems: Problem[];
  readonly extensions: string[];
}

/** The properties of a section as a mapping, without those of Fluent Bit's own machinery. */
function toMapping(section: Section, repeated: ReadonlySet<string>, scope: Scope): MappingNode {
  const entries = new Map<string, Entry>();
  for (const { key, position, value, valuePosition } of section.properties) {
    if (machineryPattern.test(key)) {
      scope.problems.push(problem('debug', position, key, 'is accepted and has no effect'));
      continue;
    }
    const known = entries.get(key);
    const node = scalar(valuePosition, value);
    if (repeated.has(key)) {
      const items: readonly Node[] = known?.value.kind === 'list' ? [...known.value.items, node] : [node];
      entries.set(key, {
        position: known?.position ?? position,
        value: { kind: 'list', position, expanded: undefined, items },
      });
      continue;
    }
    if (known) {
      const original = `configuration property '${key}' is set 2 times`;
      scope.problems.push(error(position, key, `stands twice, first in line ${known.position.line}`, { original }));
    }
    entries.set(key, { position, value: node });
  }
  return mapping(section.position, entries);
}

/** The settings of a plug-in; undefined when they are wrong, which has been told. */
function decodeSection<Schema extends z.ZodType>(
  section: Section,
  schema: Schema,
  {
    label,
    scope,
    repeated = new Set(),
  }: { readonly label: string; readonly scope: Scope; readonly repeated?: ReadonlySet<string> },
): z.output<Schema> | undefined {
  const decoded = decode(toMapping(section, repeated, scope), schema, { path: [label], position: section.position });
  scope.problems.push(
    ...decoded.problems.map((found) => ({ ...found, path: found.path.replace(`${label}.`, `${label} `) })),
  );
  return decoded.value;
}

function originOf(section: Section, key: string, label = ''): Origin {
  const property = propertyOf(section, key);
  return { position: property?.position ?? section.position, key: label === '' ? key : `${label} ${key}` };
}

function translateService(sections: readonly Section[], scope: Scope): void {
  const [first] = sections;
  if (!first) return;
  // A second SERVICE is merged into the first.
  const properties = new Map<string, Property>(
    sections.flatMap((section) => section.properties.map((property) => [property.key, property])),
  );
  const section: Section = { ...first, properties: [...properties.values()] };
  const settings = decodeSection(section, service, { label: '[SERVICE]', scope });
  if (!settings) return;
  const { builder } = scope;
  const logs: Path = ['service', 'telemetry', 'logs'];
  if (settings.log_level !== undefined)
    builder.set([...logs, 'level'], settings.log_level, originOf(section, 'log_level'));
  if (settings.log_file !== undefined)
    builder.set([...logs, 'output_paths'], [settings.log_file], originOf(section, 'log_file'));
  if (!settings.http_server) return;
  const endpoint = `${settings.http_listen}:${settings.http_port}`;
  builder.set(['extensions', 'fluent_bit_monitoring', 'endpoint'], endpoint, originOf(section, 'http_port'));
  builder.set(
    ['extensions', 'fluent_bit_monitoring', 'health_check'],
    settings.health_check,
    originOf(section, 'health_check'),
  );
  scope.extensions.push('fluent_bit_monitoring');
}

interface Input {
  readonly section: Section;
  readonly name: string;
  readonly settings: z.output<typeof openTelemetryInput>;
  readonly tag: string;
  readonly steps: readonly TraceStep[];
}

function nameOf(section: Section, scope: Scope): string | undefined {
  const name = propertyOf(section, 'name');
  if (name) return name.value.toLowerCase();
  const text = 'has no name, so nobody knows which plug-in it is';
  scope.problems.push(
    error(section.position, `[${section.kind.toUpperCase()}]`, text, {
      original: `section '${section.kind}' is missing the 'name' property`,
    }),
  );
  return undefined;
}

function readInput(section: Section, scope: Scope): readonly Input[] {
  const name = nameOf(section, scope);
  if (name === undefined) return [];
  if (name !== 'opentelemetry') {
    scope.problems.push(
      warning(section.position, '[INPUT]', `input ${JSON.stringify(name)} ignored: Raybridge handles traces only`),
    );
    return [];
  }
  const label = '[INPUT] opentelemetry';
  const settings = decodeSection(section, openTelemetryInput, { label, scope });
  if (!settings) return [];
  if (settings['oauth2.validate']) {
    const { position } = originOf(section, 'oauth2.validate');
    const text = 'is not implemented in this version; refused because data would be taken from anybody';
    scope.problems.push(error(position, `${label} oauth2.validate`, text));
  }
  if (settings.raw_traces) {
    scope.problems.push(
      warning(originOf(section, 'raw_traces').position, `${label} raw_traces`, 'is taken for off: traces stay traces'),
    );
  }
  if (settings.host !== undefined && settings.host !== settings.listen) {
    const text = `does not say where to listen; that is "listen" (${settings.listen})`;
    scope.problems.push(warning(originOf(section, 'host').position, `${label} host`, text));
  }
  return [{ section, name, settings, tag: tagOf(settings), steps: readSteps(section, scope.problems) }];
}

function tagOf({ tag, tag_from_uri: fromUri }: Input['settings']): string {
  if (tag !== undefined) return tag;
  return fromUri ? 'v1_traces' : 'opentelemetry.0';
}

const responseCodes: ReadonlySet<string> = new Set(['200', '201', '204']);

function setInput({ section, settings }: Input, index: number, scope: Scope): void {
  const { builder, problems } = scope;
  const label = '[INPUT] opentelemetry';
  const http: Path = ['receivers', inputId(index), 'protocols', 'http'];
  const from = (key: string) => originOf(section, key, label);
  builder.set([...http, 'endpoint'], `${settings.listen}:${settings.port}`, from('port'));
  builder.set(
    [...http, 'max_request_body_size'],
    settings['http_server.buffer_max_size'] ?? settings.buffer_max_size,
    from('buffer_max_size'),
  );
  const code = settings.successful_response_code;
  if (!responseCodes.has(code))
    problems.push(
      warning(
        from('successful_response_code').position,
        `${label} successful_response_code`,
        `expected 200, 201 or 204, got ${code}; 201 is answered`,
      ),
    );
  builder.set(
    [...http, 'success_status'],
    responseCodes.has(code) ? Number(code) : 201,
    from('successful_response_code'),
  );
  if (!settings.tls) return;
  for (const [key, member] of [
    ['tls.crt_file', 'cert_file'],
    ['tls.key_file', 'key_file'],
  ] as const) {
    const file = settings[key];
    if (file !== undefined) builder.set([...http, 'tls', member], file, from(key));
  }
  if (settings['tls.verify_client_cert'] && settings['tls.ca_file'] !== undefined) {
    builder.set([...http, 'tls', 'client_ca_file'], settings['tls.ca_file'], from('tls.verify_client_cert'));
  }
}

function inputId(index: number): string {
  return `otlp/fluent_bit.${index}`;
}

interface Output {
  readonly section: Section;
  /** Id of the exporter. */
  readonly id: string;
  readonly matches: ((tag: string) => boolean) | undefined;
  readonly pattern: string;
  readonly steps: readonly TraceStep[];
}

function readOutput(section: Section, scope: Scope): readonly Output[] {
  const name = nameOf(section, scope);
  if (name === undefined) return [];
  const { position } = section;
  if (name === 'opentelemetry') return readOpenTelemetryOutput(section, scope);
  if (name === 'stdout') return readStdoutOutput(section, scope);
  if (otherTraceOutputs.has(name)) {
    scope.problems.push(
      error(
        position,
        '[OUTPUT]',
        `output ${JSON.stringify(name)} takes traces in Fluent Bit and is not implemented here`,
        { hints: ['outputs for traces: opentelemetry, stdout'] },
      ),
    );
  } else
    scope.problems.push(warning(position, '[OUTPUT]', `output ${JSON.stringify(name)} ignored: it never gets traces`));
  return [];
}

function matcherOf(section: Section, scope: Scope): Pick<Output, 'matches' | 'pattern'> {
  const regex = propertyOf(section, 'match_regex');
  if (regex) {
    try {
      const pattern = new RegExp(regex.value);
      return { matches: (tag) => pattern.test(tag), pattern: regex.value };
    } catch {
      scope.problems.push(
        error(regex.valuePosition, 'match_regex', `expected a regular expression, got ${JSON.stringify(regex.value)}`),
      );
    }
  }
  const glob = propertyOf(section, 'match')?.value;
  if (glob === undefined) return { matches: undefined, pattern: '' };
  return { matches: (tag) => fitsGlob(tag, glob), pattern: glob };
}

/** `*` stands for any text, several times; case counts. Linear in the tag for each star. */
function fitsGlob(tag: string, glob: string): boolean {
  const [first = '', ...rest] = glob.split('*');
  if (!tag.startsWith(first)) return false;
  const last = rest.pop();
  if (last === undefined) return tag === glob;
  let from = first.length;
  for (const piece of rest) {
    const at = tag.indexOf(piece, from);
    if (at < 0) return false;
    from = at + piece.length;
  }
  return tag.length - last.length >= from && tag.endsWith(last);
}

const defaultGrpcUri = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

function readOpenTelemetryOutput(section: Section, scope: Scope): readonly Output[] {
  const label = '[OUTPUT] opentelemetry';
  const { builder, problems } = scope;
  const settings = decodeSection(section, openTelemetryOutput, {
    label,
    scope,
    repeated: new Set(['header', 'add_label']),
  });
  if (!settings) return [];
  const from = (key: string) => originOf(section, key, label);
  if (propertyOf(section, 'add_label'))
    problems.push(
      info(
        from('add_label').position,
        `${label} add_label`,
        'has no effect on traces; Fluent Bit adds labels to metrics only',
      ),
    );
  if (settings['oauth2.enable'])
    problems.push(
      error(
        from('oauth2.enable').position,
        `${label} oauth2.enable`,
        'is not implemented in this version; the backend would refuse the data',
      ),
    );
  const number = countOf(builder, 'exporters');
  const id = `${settings.grpc ? 'otlp_grpc' : 'otlp_http'}/fluent_bit.${number}`;
  const exporter: Path = ['exporters', id];
  const scheme = settings.tls ? 'https' : 'http';
  if (settings.grpc) {
    if (settings.grpc_traces_uri !== undefined && settings.grpc_traces_uri !== defaultGrpcUri) {
      problems.push(
        error(
          from('grpc_traces_uri').position,
          `${label} grpc_traces_uri`,
          'a method other than that of OTLP is not implemented',
        ),
      );
    }
    builder.set([...exporter, 'endpoint'], `${scheme}://${settings.host}:${settings.port}`, from('host'));
    if (settings.compress === 'zstd')
      problems.push(
        error(from('compress').position, `${label} compress`, 'zstd over gRPC is not implemented; gzip is there'),
      );
  } else {
    const uri = settings.traces_uri.startsWith('/') ? settings.traces_uri : `/${settings.traces_uri}`;
    builder.set([...exporter, 'traces_endpoint'], `${scheme}://${settings.host}:${settings.port}${uri}`, from('host'));
    if (settings.proxy !== undefined) builder.set([...exporter, 'proxy_url'], settings.proxy, from('proxy'));
  }
  builder.set([...exporter, 'compression'], settings.compress ?? 'none', from('compress'));
  const headers = settings.header.map(
    (header) => [/^\S*/.exec(header)?.[0] ?? '', header.replace(/^\S*\s*/, '')] as const,
  );
  if (settings.http_user !== '')
    headers.push(['authorization', `Basic ${base64(`${settings.http_user}:${settings.http_passwd}`)}`]);
  if (headers.length > 0) {
    const list = headers.map(([name, value]) => ({ name, value }));
    builder.set([...exporter, 'headers'], list, from('header'));
  }
  if (settings.workers !== undefined && /^[1-9]\d*$/.test(settings.workers)) {
    builder.set([...exporter, 'sending_queue', 'num_consumers'], Number(settings.workers), from('workers'));
  }
  if (settings.tls) {
    const tls: Path = [...exporter, 'tls'];
    if (!settings['tls.verify']) builder.set([...tls, 'insecure_skip_verify'], true, from('tls.verify'));
    for (const [key, member] of [
      ['tls.ca_file', 'ca_file'],
      ['tls.crt_file', 'cert_file'],
      ['tls.key_file', 'key_file'],
      ['tls.vhost', 'server_name_override'],
    ] as const) {
      const value = settings[key];
      if (value !== undefined) builder.set([...tls, member], value, from(key));
    }
  }
  if (settings.aws_auth) setAwsAuth(settings, { id, exporter, from, scope });
  return [{ section, id, ...matcherOf(section, scope), steps: readSteps(section, problems) }];
}

function setAwsAuth(
  settings: z.output<typeof openTelemetryOutput>,
  {
    id,
    exporter,
    from,
    scope,
  }: { readonly id: string; readonly exporter: Path; readonly from: (key: string) => Origin; readonly scope: Scope },
): void {
  const { builder } = scope;
  const extension = `sigv4auth/${id.replace('/', '_')}`;
  const target: Path = ['extensions', extension];
  builder.set([...target, 'service'], settings.aws_service, from('aws_service'));
  if (settings.aws_region !== undefined) builder.set([...target, 'region'], settings.aws_region, from('aws_region'));
  if (settings.aws_role_arn !== undefined)
    builder.set([...target, 'assume_role', 'arn'], settings.aws_role_arn, from('aws_role_arn'));
  if (settings.aws_external_id !== undefined)
    builder.set([...target, 'assume_role', 'external_id'], settings.aws_external_id, from('aws_external_id'));
  builder.set([...exporter, 'auth', 'authenticator'], extension, from('aws_auth'));
  scope.extensions.push(extension);
}

const verbosityOf = {
  json: 'basic',
  json_lines: 'basic',
  json_stream: 'basic',
  msgpack: 'basic',
  otlp_json: 'detailed',
  otlp_json_pretty: 'detailed',
} as const;

function readStdoutOutput(section: Section, scope: Scope): readonly Output[] {
  const label = '[OUTPUT] stdout';
  const { builder } = scope;
  const settings = decodeSection(section, stdoutOutput, { label, scope });
  if (!settings) return [];
  const id = `debug/fluent_bit.${countOf(builder, 'exporters')}`;
  const format = originOf(section, 'format', label);
  const exporter: Path = ['exporters', id];
  builder.set(
    [...exporter, 'verbosity'],
    settings.format === undefined ? 'normal' : verbosityOf[settings.format],
    format,
  );
  builder.set([...exporter, 'use_internal_logger'], false, format);
  return [{ section, id, ...matcherOf(section, scope), steps: readSteps(section, scope.problems) }];
}

function countOf(builder: TreeBuilder, section: string): number {
  const node = builder.root().entries.get(section)?.value;
  return node?.kind === 'mapping' ? node.entries.size : 0;
}

/** A pipeline for each pair of an input and an output that gets its traces. */
function connect(inputs: readonly Input[], outputs: readonly Output[], scope: Scope): void {
  const { builder, problems } = scope;
  for (const [i, input] of inputs.entries()) {
    const taking = input.settings.routable ? outputs.filter((output) => routesTo(input, output)) : [];
    for (const output of taking) {
      const name = `traces/fluent_bit.${i}.${output.id.replaceAll('/', '_')}`;
      const processors = [...input.steps, ...output.steps].map((step, at) => {
        const id = `${step.type}/${name.replace('traces/', '')}.${at}`;
        builder.set(['processors', id], step.settings, { position: step.position, key: step.key });
        return id;
      });
      const pipeline = { receivers: [inputId(i)], processors, exporters: [output.id] };
      builder.set(['service', 'pipelines', name], pipeline, { position: output.section.position });
    }
    if (taking.length > 0) continue;
    const patterns = outputs.map(({ pattern }) => JSON.stringify(pattern)).join(', ');
    const text = `traces of input opentelemetry.${i} have tag ${JSON.stringify(input.tag)}; no output matches it (outputs match: ${patterns})`;
    problems.push(warning(input.section.position, '[INPUT] opentelemetry', text));
    // Fluent Bit takes the data and drops it.
    builder.set(['exporters', 'nop/fluent_bit'], {}, { position: input.section.position });
    const pipeline = { receivers: [inputId(i)], exporters: ['nop/fluent_bit'] };
    builder.set(['service', 'pipelines', `traces/fluent_bit.${i}`], pipeline, { position: input.section.position });
  }
}

/** By the routes of the input when it has any for traces, else by the tag. */
function routesTo({ section, tag }: Input, output: Output): boolean {
  const names = routedOutputs(section.routes);
  if (names === undefined) return output.matches?.(tag) ?? false;
  const alias = propertyOf(output.section, 'alias')?.value;
  const name = propertyOf(output.section, 'name')?.value;
  return names.some((routed) => routed === alias || routed === name);
}

function routedOutputs(routes: Node | undefined): readonly string[] | undefined {
  if (routes?.kind !== 'mapping') return undefined;
  const lists = [...routes.entries].filter(([signals]) => /(?:^|,)\s*(?:traces|any)\s*(?:,|$)/.test(signals));
  return lists.flatMap(([, { value }]) =>
    (value.kind === 'list' ? value.items : []).flatMap((route) =>
      outputsOf(memberOf(memberOf(route, 'to'), 'outputs')),
    ),
  );
}

function memberOf(node: Node | undefined, name: string): Node | undefined {
  return node?.kind === 'mapping' ? node.entries.get(name)?.value : undefined;
}

function outputsOf(node: Node | undefined): readonly string[] {
  return (node?.kind === 'list' ? node.items : []).flatMap((item) => {
    const name = item.kind === 'mapping' ? item.entries.get('name')?.value : item;
    return name?.kind === 'scalar' ? [String(name.value)] : [];
  });
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
