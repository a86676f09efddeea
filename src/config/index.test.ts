import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { z } from 'zod';
import { rootPath } from '../../test/support/root.ts';
import { parseId } from './declare.ts';
import {
  type ComponentKind,
  type Loaded,
  type KnownComponent,
  type Registry,
  loadConfig,
  printConfig,
  printProblems,
  problemLine,
} from './index.ts';
import { duration, endpoint, grpcServer, httpServer } from './schema.ts';

const nothing = z.strictObject({});
const store = z.string().default('clickhouse');

/** Components as the register of a later version may hold them. */
const registry: Registry = new Map<ComponentKind, ReadonlyMap<string, KnownComponent>>([
  [
    'receiver',
    typed({
      nop: nothing,
      otlp: z.strictObject({
        protocols: z
          .strictObject({
            grpc: grpcServer({ endpoint: 'localhost:4317' }).optional(),
            http: httpServer({ endpoint: 'localhost:4318' }).optional(),
          })
          .refine(({ grpc, http }) => grpc ?? http, 'must specify at least one protocol'),
      }),
      awsxray: z.strictObject({
        endpoint: endpoint.default('localhost:2000'),
        transport: z.string().default('udp'),
        proxy_server: z.looseObject({ endpoint: endpoint.default('localhost:2000') }).prefault({}),
      }),
    }),
  ],
  [
    'processor',
    typed({
      nop: nothing,
      probabilistic_sampler: z.strictObject({ timeout: duration.default(200) }),
      batch: z.record(z.string(), z.unknown()),
    }),
  ],
  ['connector', typed({ nop: nothing })],
  [
    'exporter',
    new Map([
      ...typed({
        nop: nothing,
        store: z.strictObject({ store }),
        otlp: z.strictObject({ endpoint, tls: z.unknown() }),
        awsxray: z.strictObject({
          region: z.string().default(''),
          indexed_attributes: z.array(z.string()).default([]),
        }),
        debug: z.strictObject({ verbosity: z.enum(['basic', 'normal', 'detailed']).default('basic') }),
      }),
      ['logging', known('debug', z.strictObject({ loglevel: z.string().optional() }))],
    ]),
  ],
  [
    'extension',
    typed({
      xray_api: z.strictObject({ endpoint, store }),
      console: z.strictObject({ endpoint, store }),
      health: z.strictObject({ endpoint }),
      health_check: nothing,
      awsproxy: nothing,
    }),
  ],
  ['store', typed({ clickhouse: z.strictObject({ password: z.string().default('') }) })],
]);

function typed(schemas: Readonly<Record<string, z.ZodType>>): ReadonlyMap<string, KnownComponent> {
  return new Map(Object.entries(schemas).map(([type, configSchema]) => [type, known(type, configSchema)]));
}

function known(type: string, configSchema: z.ZodType): KnownComponent {
  return { type, load: async () => ({ type, configSchema }) };
}

interface Given {
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly sets?: readonly string[];
  readonly featureGates?: readonly string[];
}

function load(
  locations: readonly string[],
  { files = {}, env = {}, sets = [], featureGates }: Given = {},
): Promise<Loaded> {
  const read = async (path: string) => {
    const text = files[path];
    if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
    return text;
  };
  return loadConfig({ locations, sets, read, env: new Map(Object.entries(env)), registry, featureGates });
}

/** Loads one text as `otel.yaml`. */
function loadText(text: string, given: Given = {}): Promise<Loaded> {
  return load(['otel.yaml'], { ...given, files: { 'otel.yaml': text } });
}

function fixture(name: string): string {
  return readFileSync(rootPath('test', 'fixtures', 'config', name), 'utf8');
}

async function told(
  loading: Promise<Loaded>,
  severities: readonly string[] = ['error', 'warning'],
): Promise<readonly string[]> {
  const { problems } = await loading;
  return problems
    .filter(({ severity }) => severities.includes(severity))
    .map((problem) => `${problem.severity}: ${problemLine(problem)}`);
}

/** A whole configuration around the lines given. */
function around({
  receivers = 'nop:',
  exporters = 'nop:',
  more = '',
  pipelines = 'traces: {receivers: [nop], exporters: [nop]}',
}): string {
  return `receivers: {${receivers}}\nexporters: {${exporters}}\n${more}\nservice:\n  pipelines:\n    ${pipelines}\n`;
}

test('without a location the default configuration runs agent and backend on loopback', async () => {
  const { config, problems } = await load([]);
  assert.deepEqual(problems, []);
  assert.ok(config);
  assert.deepEqual(config.pipelines, [
    { id: 'traces', receivers: ['otlp', 'awsxray'], processors: [], exporters: ['store'] },
  ]);
  assert.deepEqual(
    config.extensions.map(({ id }) => id),
    ['xray_api', 'console', 'health'],
  );
  assert.deepEqual(
    config.stores.map(({ id, type, config }) => ({ id, type, config })),
    [{ id: 'clickhouse', type: 'clickhouse', config: { password: '' } }],
  );
});

test('--set applies on top of the default configuration, and of every location', async () => {
  const sets = ['receivers.otlp.protocols.http.endpoint = 127.0.0.1:14318'];
  const { config } = await load([], { sets });
  assert.deepEqual(config?.receivers[0]?.config, {
    protocols: {
      grpc: { endpoint: '127.0.0.1:4317', max_recv_msg_size_mib: 4, max_concurrent_streams: 0 },
      http: { endpoint: '127.0.0.1:14318', max_request_body_size: 20 * 1024 * 1024, response_headers: {} },
    },
  });
  assert.deepEqual(await told(load([], { sets: ['receivers.otlp.protocols.htpt.endpoint=x'] })), [
    'error: --set #1:1:29: receivers.otlp.protocols.htpt: unknown key',
  ]);
  assert.deepEqual(await told(load([], { sets: ['processors.batch.timeout'] })), [
    'error: command line: --set #1: expected path=value, got "processors.batch.timeout"',
  ]);
});

test('locations are files, variables and inline YAML; other schemes say what to do', async () => {
  const file = around({});
  assert.ok((await load(['file:a.yaml'], { files: { 'a.yaml': file } })).config);
  assert.ok((await load(['C:\\a.yaml'], { files: { 'C:\\a.yaml': file } })).config);
  assert.ok((await load(['env:CONF'], { env: { CONF: file } })).config);
  assert.ok((await load([`yaml:${file}`])).config);
  assert.ok((await load(['a.yaml', 'yaml:exporters::nop: {}'], { files: { 'a.yaml': file } })).config);
  assert.deepEqual(await told(load(['env:CONF', 's3://bucket/key', 'https://x', 'foo:bar', 'gone.yaml'])), [
    'error: command line: env CONF is not set',
    'error: command line: --config #2: scheme "s3" is not supported; download the object and use file:',
    'error: https://x/: documents on the web are not read here',
    'error: command line: --config #4: scheme "foo" is not supported for uri "foo:bar"',
    `error: gone.yaml: cannot read the file "gone.yaml": ENOENT: no such file or directory, open 'gone.yaml'`,
  ]);
});

test('later lists of the service are appended under the gate of the Collector, and replace without it', async () => {
  const files = {
    'a.yaml': around({}),
    'b.yaml': 'exporters: {nop/more: {}}\nservice: {pipelines: {traces: {exporters: [nop/more]}}}',
  };
  const exporters = async (featureGates: readonly string[]) =>
    (await load(['a.yaml', 'b.yaml'], { files, featureGates })).config?.pipelines[0]?.exporters;
  assert.deepEqual(await exporters([]), ['nop/more']);
  assert.deepEqual(await exporters(['confmap.enableMergeAppendOption']), ['nop', 'nop/more']);
});

test('the top of a configuration is a mapping, and not an empty one', async () => {
  assert.deepEqual(await told(loadText('')), ['error: otel.yaml: empty configuration file']);
  assert.deepEqual(await told(loadText('just text')), [
    'error: otel.yaml:1:1: expected a mapping at the top, got a single value',
  ]);
  assert.deepEqual(await told(loadText('- a')), ['error: otel.yaml:1:1: expected a mapping at the top, got a list']);
});

const ids: readonly (readonly [string, string])[] = [
  ['', 'id must not be empty'],
  ['/x', 'in "/x" id: the part before / should not be empty'],
  ['x/', 'in "x/" id: the part after / should not be empty'],
  ['my-type', 'in "my-type" id: invalid character(s) in type "my-type"'],
  ['otlp/a b', 'in "otlp/a b" id: invalid character(s) in name "a b"'],
  [`otlp/${'x'.repeat(1025)}`, 'is longer than 1024 characters'],
];

for (const [id, text] of ids) {
  test(`the id "${id.slice(0, 20)}" is refused: ${text}`, () => {
    const parsed = parseId(id);
    assert.ok('wrong' in parsed && parsed.wrong.endsWith(text));
  });
}

test('blanks around the parts of an id do not count', async () => {
  assert.deepEqual(parseId(' otlp / a '), { id: 'otlp/a', type: 'otlp' });
  const [line] = await told(
    loadText(
      'receivers:\n  nop/a:\n  nop / a:\nexporters: {nop: }\nservice: {pipelines: {traces: {receivers: [nop/a], exporters: [nop]}}}',
    ),
  );
  assert.equal(line, 'error: otel.yaml:3:3: receivers: duplicate name nop/a');
});

const refusals: readonly (readonly [name: string, text: string, complaints: readonly string[]])[] = [
  [
    'no receivers',
    'exporters: {nop: }\nservice: {pipelines: {traces: {exporters: [nop]}}}',
    [
      'error: otel.yaml: no receiver configuration specified in config',
      'error: otel.yaml:2:23: service.pipelines.traces must have at least one receiver',
    ],
  ],
  [
    'no exporters',
    'receivers: {nop: }\nservice: {pipelines: {traces: {receivers: [nop]}}}',
    [
      'error: otel.yaml: no exporter configuration specified in config',
      'error: otel.yaml:2:23: service.pipelines.traces must have at least one exporter',
    ],
  ],
  [
    'no pipelines',
    'receivers: {nop: }\nexporters: {nop: }',
    ['error: otel.yaml:1:1: service must have at least one pipeline'],
  ],
  [
    'an id that is an exporter and a connector',
    around({ more: 'connectors: {nop: }' }),
    ['error: otel.yaml:3:14: connectors.nop: ambiguous ID: Found both "nop" exporter and "nop" connector'],
  ],
  [
    'an extension that is not configured',
    `${around({})}  extensions: [health]`,
    ['error: otel.yaml:7:16: service.extensions: "health" is not configured'],
  ],
  [
    'a receiver that is not configured',
    around({ pipelines: 'traces: {receivers: [nop, nopp], exporters: [nop]}' }),
    [
      'error: otel.yaml:6:31: service.pipelines.traces.receivers: "nopp" is not configured; receivers has "nop" (line 1)',
    ],
  ],
  [
    'a processor named twice',
    around({
      more: 'processors: {nop: }',
      pipelines: 'traces: {receivers: [nop], processors: [nop, nop], exporters: [nop]}',
    }),
    ['error: otel.yaml:6:50: service.pipelines.traces.processors references processor "nop" multiple times'],
  ],
  [
    'an unknown signal',
    around({ pipelines: 'trace: {receivers: [nop], exporters: [nop]}' }),
    [
      'error: otel.yaml:5:3: service must have at least one pipeline',
      'error: otel.yaml:6:5: service.pipelines: unknown pipeline signal: "trace"',
    ],
  ],
  [
    'an unknown type, even unused',
    around({ exporters: 'nop: , nobody: ' }),
    ['error: otel.yaml:2:20: exporters: unknown type "nobody"'],
  ],
  [
    'a known type that is not here',
    around({ exporters: 'nop: , kafka: ', pipelines: 'traces: {receivers: [nop], exporters: [kafka]}' }),
    ['error: otel.yaml:2:20: exporters: type "kafka" is not implemented in this version'],
  ],
  [
    'a processor whose absence would leak',
    around({
      more: 'processors: {redaction: }',
      pipelines: 'traces: {receivers: [nop], processors: [redaction], exporters: [nop]}',
    }),
    [
      'error: otel.yaml:3:14: processors: type "redaction" is not implemented in this version; refused because spans that it should change or drop would pass unchanged',
    ],
  ],
  [
    'a component body that is no mapping',
    around({ exporters: 'nop: [a]' }),
    ['error: otel.yaml:2:18: exporters.nop: expected a mapping or nothing, got a list'],
  ],
  ['an unknown section', `${around({})}pipelines: {}`, ['error: otel.yaml:7:1: pipelines: unknown key']],
  [
    'a store that is not configured',
    around({ exporters: 'store: {store: mine}', pipelines: 'traces: {receivers: [nop], exporters: [store]}' }),
    ['error: otel.yaml:2:28: exporters.store.store: "mine" is not configured'],
  ],
  [
    'a default store that is not configured',
    around({ exporters: 'store: ', pipelines: 'traces: {receivers: [nop], exporters: [store]}' }),
    ['error: otel.yaml:2:13: exporters.store.store: "clickhouse" is not configured'],
  ],
  [
    'a connector on one side only',
    around({ more: 'connectors: {nop/c: }', pipelines: 'traces: {receivers: [nop], exporters: [nop/c]}' }),
    [
      'error: otel.yaml:3:14: connectors: connector "nop/c" used as exporter in [traces] pipeline but not used in any supported receiver pipeline',
    ],
  ],
];

for (const [name, text, complaints] of refusals) {
  test(`refused: ${name}`, async () => {
    assert.deepEqual(await told(loadText(text)), complaints);
    assert.equal((await loadText(text)).config, undefined);
  });
}

test('all typos of a file are reported together, each with a proposal', async () => {
  const { problems, sources } = await loadText(fixture('typos.yaml'));
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error').map(({ line, hints }) => `${line} ${hints[0]}`),
    [
      '5 did you mean "endpoint"?',
      '7 did you mean "batch"?',
      '8 did you mean "tail_sampling"?',
      '10 did you mean "awsxray"?',
    ],
  );
  assert.match(printProblems(problems, sources), /\n4 errors in otel.yaml\n$/);
});

const fixtures: readonly (readonly [
  file: string,
  complaints: readonly string[],
  env?: Readonly<Record<string, string>>,
])[] = [
  [
    'otelcol-invalid.yaml',
    ['error: otel.yaml:14:20: service.pipelines.traces.processors: "invalid" is not configured'],
  ],
  [
    'otelcol-invalid-components.yaml',
    [
      'error: otel.yaml:6:3: processors: unknown type "nosuchprocessor"',
      'error: otel.yaml:12:20: service.pipelines.traces.processors: "nop" is not configured',
    ],
  ],
  [
    'otelcol-cyclic-connector.yaml',
    [
      'error: otel.yaml:12:5: service.pipelines.traces/in: cycle detected: connector "nop/forward" (traces to traces) -> connector "nop/forward" (traces to traces)',
    ],
  ],
  ['config_default_scheme.yaml', [], { RECEIVERS: '[nop]' }],
  ['remote-sampling.yaml', ['error: otel.yaml:11:3: service.pipeline: unknown key']],
  [
    'x-ray-receiver-full.yaml',
    [
      'error: otel.yaml:23:19: service.pipelines.traces.receivers: "awsxray" is not configured; receivers has "aws_xray" (line 2)',
    ],
  ],
  ['confmap-s3.yaml', ['error: otel.yaml:5:1: is not valid YAML: Implicit keys need to be on a single line']],
  [
    'lambda-custom.yaml',
    [
      'warning: otel.yaml:21:5: pipeline "metrics" ignored: Raybridge handles traces only',
      'warning: otel.yaml:26:7: service.telemetry.metrics.address has no effect; metrics are served at /metrics of the health extension',
    ],
  ],
  [
    'xray-endpoint.yaml',
    ['warning: otel.yaml:32:5: pipeline "metrics" ignored: Raybridge handles traces only'],
    { XRAY_ENDPOINT: '0.0.0.0:2000' },
  ],
  [
    'xray-endpoint.yaml',
    [
      'warning: otel.yaml:12:15: receivers.awsxray.endpoint references the environment variable XRAY_ENDPOINT, which is not set',
      'error: otel.yaml:12:15: receivers.awsxray.endpoint is empty because environment variable XRAY_ENDPOINT is not set',
      'warning: otel.yaml:32:5: pipeline "metrics" ignored: Raybridge handles traces only',
    ],
  ],
  [
    'operator.yaml',
    ['error: otel.yaml:1:1: this is a Kubernetes resource (OpenTelemetryCollector), not a configuration'],
  ],
  [
    'spanmetrics-connector.yaml',
    [
      'warning: otel.yaml:21:3: connectors: connector "spanmetrics" ignored: it feeds ignored pipelines only',
      'warning: otel.yaml:35:5: pipeline "metrics/spanmetrics" ignored: Raybridge handles traces only',
    ],
  ],
];

for (const [file, complaints, env = {}] of fixtures) {
  test(`${file} ${complaints.some((line) => line.startsWith('error')) ? 'is refused' : 'is accepted'}${Object.keys(env).length > 0 ? ' with its variable set' : ''}`, async () => {
    assert.deepEqual(await told(loadText(fixture(file), { env })), complaints);
  });
}

test('a file without a pipeline of traces is refused', async () => {
  const lines = await told(
    loadText(fixture('ecs-amp.yaml'), { env: { AWS_REGION: 'x', AWS_PROMETHEUS_ENDPOINT: 'x' } }),
    ['error'],
  );
  assert.ok(
    lines.some((line) =>
      line.endsWith('no traces pipeline (ignored: metrics/application, metrics); Raybridge has nothing to do'),
    ),
    lines.join('\n'),
  );
});

test('protocols beside instead of under `protocols` are proposed their place', async () => {
  const { problems } = await loadText(fixture('k8s-attributes.yaml'));
  const grpc = problems.find(({ path }) => path === 'receivers.otlp.grpc');
  assert.deepEqual(grpc?.hints, ['did you mean "protocols.grpc"?']);
});

test('bodies of receivers and exporters say what was meant', async () => {
  const inBody = (kind: string, id: string, file: string) =>
    `${kind}:\n  ${id}:\n${fixture(file).replaceAll(/^/gm, '    ')}\n`;
  const otlp = (file: string) =>
    `${inBody('receivers', 'otlp', file)}exporters: {nop: }\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [nop]}}}`;
  const typo = await loadText(otlp('typo_default_proto_config.yaml'));
  assert.deepEqual(
    typo.problems.map(({ path, hints }) => [path, ...hints]),
    [['receivers.otlp.protocols.htttp', 'did you mean "http"?']],
  );
  const httpOnly = await loadText(otlp('only_http_null.yaml'));
  assert.deepEqual(httpOnly.config?.receivers[0]?.config, {
    protocols: { http: { endpoint: 'localhost:4318', max_request_body_size: 20 * 1024 * 1024, response_headers: {} } },
  });
  const debug = await loadText(
    `${inBody('exporters', 'debug', 'config_verbosity_typo.yaml')}receivers: {nop: }\nservice: {pipelines: {traces: {receivers: [nop], exporters: [debug]}}}`,
  );
  assert.deepEqual(
    debug.problems.map(({ path, hints }) => [path, ...hints]),
    [['exporters.debug.verBosity', 'did you mean "verbosity"?']],
  );
});

test('what only ignored pipelines name is not judged, and receivers are told of their signals', async () => {
  const text = around({
    exporters: 'nop: , awsemf: {a: 1}, nobody: ',
    pipelines:
      'traces: {receivers: [nop], exporters: [nop]}\n    metrics: {receivers: [nop], exporters: [awsemf, nobody]}',
  });
  const { config, problems } = await loadText(text);
  assert.deepEqual(problems.map(problemLine), [
    'otel.yaml:7:5: pipeline "metrics" ignored: Raybridge handles traces only',
  ]);
  assert.deepEqual(config?.ignoredPipelines, [{ id: 'metrics', signal: 'metrics', receivers: ['nop'] }]);
  assert.deepEqual(
    config?.exporters.map(({ id }) => id),
    ['nop'],
  );
});

test('components without effect are passed by, those that only add are left out with a warning', async () => {
  const text = around({
    more: 'processors: {decouple: {some: 1s}, k8sattributes: }\nextensions: {pprof: }',
    pipelines:
      'traces: {receivers: [nop], processors: [decouple, k8sattributes], exporters: [nop]}\n  extensions: [pprof]',
  });
  const { config } = await loadText(text);
  assert.deepEqual(config?.pipelines, [{ id: 'traces', receivers: ['nop'], processors: [], exporters: ['nop'] }]);
  assert.deepEqual(config?.extensions, []);
  assert.deepEqual(await told(loadText(text), ['info', 'warning']), [
    'info: otel.yaml:3:14: processors: processor "decouple" has no effect; it is for Lambda functions',
    'warning: otel.yaml:3:36: processors: processor "k8sattributes" is not implemented in this version; spans pass without what it would have added',
    'info: otel.yaml:4:14: extensions: extension "pprof" has no effect; it only observes the Collector itself',
  ]);
});

test('what nothing names is not in the Config and is told as info', async () => {
  const text = around({ receivers: 'nop: , nop/b: ', more: 'stores: {clickhouse: }\nextensions: {health_check: }' });
  const { config } = await loadText(text);
  assert.deepEqual(
    config?.receivers.map(({ id }) => id),
    ['nop'],
  );
  assert.deepEqual(config?.stores, []);
  assert.deepEqual(await told(loadText(text), ['info']), [
    'info: otel.yaml:1:20: receivers: receiver "nop/b" is configured but not used by any traces pipeline',
    'info: otel.yaml:3:10: stores: store "clickhouse" is configured but not used by any component',
    'info: otel.yaml:4:14: extensions: extension "health_check" is configured but not named in service.extensions',
  ]);
});

test('the logging exporter is read as debug, with a warning', async () => {
  const { config, problems } = await loadText(
    around({ exporters: 'logging: ', pipelines: 'traces: {receivers: [nop], exporters: [logging]}' }),
  );
  assert.deepEqual(
    config?.exporters.map(({ id, type }) => ({ id, type })),
    [{ id: 'logging', type: 'debug' }],
  );
  assert.deepEqual(
    problems.map(({ severity, text }) => `${severity}: ${text}`),
    ['warning: exporter "logging" is read as type "debug"'],
  );
});

test('a placeholder is warned of', async () => {
  const lines = await told(
    loadText(
      around({
        exporters: 'awsxray: {region: <put-your-aws-region>}',
        pipelines: 'traces: {receivers: [nop], exporters: [awsxray]}',
      }),
    ),
  );
  assert.deepEqual(lines, [
    'warning: otel.yaml:2:31: exporters.awsxray.region: "<put-your-aws-region>" looks like a placeholder',
  ]);
});

test('an unset variable is named by the message, with the default to write', async () => {
  const text = around({
    receivers: 'awsxray: {endpoint: "${XRAY_ENDPOINT}"}',
    pipelines: 'traces: {receivers: [awsxray], exporters: [nop]}',
  });
  const { problems } = await loadText(text);
  const empty = problems.find(({ severity }) => severity === 'error');
  assert.deepEqual(empty?.hints, ['give a default: ${env:XRAY_ENDPOINT:-localhost:2000}']);
});

test('the printed configuration reads back to the same tree, without its secrets', async () => {
  const text = around({
    more: 'stores: {clickhouse: {password: "$$hunter2"}}',
    exporters: 'store: , awsxray: {region: "0123", indexed_attributes: ["a$$b", "yes"]}',
    pipelines: 'traces: {receivers: [nop], exporters: [store, awsxray]}',
  });
  const { tree } = await loadText(text);
  assert.ok(tree);
  const printed = printConfig(tree);
  assert.doesNotMatch(printed, /hunter2/);
  assert.match(printed, /password: "\[REDACTED\]"/);
  const again = await loadText(printed);
  assert.deepEqual(
    again.config?.exporters.map(({ config }) => config),
    [{ store: 'clickhouse' }, { region: '0123', indexed_attributes: ['a$b', 'yes'] }],
  );
  assert.ok(again.tree);
  assert.equal(printConfig(again.tree), printed);
});

test('loading never rejects, whatever the text', async () => {
  const words = fc.constantFrom(
    'receivers',
    'exporters',
    'service',
    'pipelines',
    'traces',
    'otlp',
    'protocols',
    'grpc',
    'nop',
    'store',
    'extensions',
    'endpoint',
    '__proto__',
    'constructor',
    ': ',
    ':\n  ',
    ':\n    ',
    '\n',
    '[',
    ']',
    '{',
    '}',
    ', ',
    '${X}',
    '$',
    'null',
    '1',
    '"',
    '- ',
    '&a ',
    '*a',
    '<<: ',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(words, { maxLength: 40 }), fc.string(), async (parts, X) => {
      const loaded = await loadText(parts.join(''), { env: { X } });
      assert.equal(
        loaded.config === undefined,
        loaded.problems.some(({ severity }) => severity === 'error'),
      );
      printProblems(loaded.problems, loaded.sources, { verbose: true });
      if (loaded.tree) printConfig(loaded.tree);
    }),
    { numRuns: 1000 },
  );
});

test('loading never rejects, whatever value stands anywhere in a right configuration', async () => {
  const value: fc.Arbitrary<unknown> = fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, '', 'nop', 1, -1, 1.5, true, '${X}', 'a,b', '10', '<x>'),
    fc.array(fc.constantFrom('nop', 'x/y', '', 1, null)),
    fc.dictionary(
      fc.constantFrom('nop', 'endpoint', 'traces', 'grpc', 'tls', '__proto__'),
      fc.constantFrom(null, 1, 'x', {}),
    ),
  );
  const path = fc.constantFrom(
    'receivers',
    'receivers.otlp',
    'receivers.otlp.protocols',
    'receivers.otlp.protocols.grpc',
    'receivers.otlp.protocols.http.cors',
    'exporters',
    'exporters.store',
    'exporters.store.store',
    'stores',
    'connectors',
    'extensions.console',
    'service',
    'service.extensions',
    'service.pipelines',
    'service.pipelines.traces',
    'service.pipelines.traces.receivers',
    'service.telemetry',
    'service.telemetry.logs',
  );
  await fc.assert(
    fc.asyncProperty(path, value, async (path, value) => {
      const { config, problems } = await load([], { sets: [`${path}=${JSON.stringify(value)}`] });
      assert.equal(
        config === undefined,
        problems.some(({ severity }) => severity === 'error'),
      );
    }),
    { numRuns: 500 },
  );
});
