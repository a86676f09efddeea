import type { ComponentFactory, ComponentKind } from './pipeline/component.ts';

/**
 * Every component, one line each: its kind, its type and the aliases of that, and where its factory is.
 * It is loaded when a configuration names it, so that what is not used costs no time at start and no memory.
 */
const all: readonly RegisteredType[] = [
  register('receiver', 'otlp', async () => (await import('./receivers/otlp/index.ts')).otlpReceiver),
  register(
    'receiver',
    ['awsxray', 'aws_xray'],
    async () => (await import('./receivers/awsxray/index.ts')).awsxrayReceiver,
  ),
  register(
    'receiver',
    'awsxray_poller',
    async () => (await import('./receivers/awsxray_poller/index.ts')).awsxrayPollerReceiver,
  ),
  register('receiver', 'nop', async () => (await import('./receivers/nop/index.ts')).nopReceiver),
  register(
    'processor',
    'attributes',
    async () => (await import('./processors/attributes/index.ts')).attributesProcessor,
  ),
  register('processor', 'batch', async () => (await import('./processors/batch/index.ts')).batchProcessor),
  register('processor', 'filter', async () => (await import('./processors/filter/index.ts')).filterProcessor),
  register(
    'processor',
    'fluent_bit_sampler',
    async () => (await import('./processors/fluent_bit_sampler/index.ts')).fluentBitSamplerProcessor,
  ),
  register(
    'processor',
    ['groupbytrace', 'group_by_trace'],
    async () => (await import('./processors/groupbytrace/index.ts')).groupbytraceProcessor,
  ),
  register(
    'processor',
    'memory_limiter',
    async () => (await import('./processors/memory_limiter/index.ts')).memoryLimiterProcessor,
  ),
  register(
    'processor',
    'probabilistic_sampler',
    async () => (await import('./processors/probabilistic_sampler/index.ts')).probabilisticSamplerProcessor,
  ),
  register('processor', 'resource', async () => (await import('./processors/resource/index.ts')).resourceProcessor),
  register(
    'processor',
    ['resourcedetection', 'resource_detection'],
    async () => (await import('./processors/resourcedetection/index.ts')).resourcedetectionProcessor,
  ),
  register(
    'processor',
    'tail_sampling',
    async () => (await import('./processors/tail_sampling/index.ts')).tailSamplingProcessor,
  ),
  register(
    'connector',
    ['servicegraph', 'service_graph'],
    async () => (await import('./connectors/servicegraph/index.ts')).servicegraphConnector,
  ),
  register(
    'connector',
    ['spanmetrics', 'span_metrics'],
    async () => (await import('./connectors/spanmetrics/index.ts')).spanmetricsConnector,
  ),
  register('connector', 'forward', async () => (await import('./connectors/forward/index.ts')).forwardConnector),
  register(
    'exporter',
    ['awsxray', 'aws_xray'],
    async () => (await import('./exporters/awsxray/index.ts')).awsxrayExporter,
  ),
  register('exporter', ['debug', 'logging'], async () => (await import('./exporters/debug/index.ts')).debugExporter),
  register('exporter', 'file', async () => (await import('./exporters/file/index.ts')).fileExporter),
  register('exporter', 'nop', async () => (await import('./exporters/nop/index.ts')).nopExporter),
  register(
    'exporter',
    ['otlp_grpc', 'otlp'],
    async () => (await import('./exporters/otlp_grpc/index.ts')).otlpGrpcExporter,
  ),
  register(
    'exporter',
    ['otlp_http', 'otlphttp'],
    async () => (await import('./exporters/otlp_http/index.ts')).otlpHttpExporter,
  ),
  register('exporter', 'store', async () => (await import('./exporters/store/index.ts')).storeExporter),
  register('store', 'clickhouse', async () => (await import('./stores/clickhouse/index.ts')).clickhouseStore),
  register(
    'extension',
    ['awsproxy', 'aws_proxy'],
    async () => (await import('./extensions/awsproxy/index.ts')).awsproxy,
  ),
  register(
    'extension',
    ['basicauth', 'basic_auth'],
    async () => (await import('./extensions/basicauth/index.ts')).basicauth,
  ),
  register(
    'extension',
    ['bearertokenauth', 'bearer_token_auth'],
    async () => (await import('./extensions/bearertokenauth/index.ts')).bearertokenauth,
  ),
  register('extension', 'console', async () => (await import('./extensions/console/index.ts')).consoleExtension),
  register('extension', 'file_storage', async () => (await import('./extensions/file_storage/index.ts')).fileStorage),
  register(
    'extension',
    'fluent_bit_monitoring',
    async () => (await import('./extensions/fluent_bit_monitoring/index.ts')).fluentBitMonitoring,
  ),
  register(
    'extension',
    'headers_setter',
    async () => (await import('./extensions/headers_setter/index.ts')).headersSetter,
  ),
  register('extension', 'health', async () => (await import('./extensions/health/index.ts')).health),
  register(
    'extension',
    ['health_check', 'healthcheck'],
    async () => (await import('./extensions/health_check/index.ts')).healthCheck,
  ),
  register(
    'extension',
    ['sigv4auth', 'sigv4_auth'],
    async () => (await import('./extensions/sigv4auth/index.ts')).sigv4auth,
  ),
  register('extension', 'xray_api', async () => (await import('./extensions/xray_api/index.ts')).xrayApi),
];

export interface RegisteredType {
  readonly kind: ComponentKind;
  readonly type: string;
  readonly aliases: readonly string[];
  load(): Promise<ComponentFactory>;
}

/** By kind, then by type or alias. */
export type Register = ReadonlyMap<ComponentKind, ReadonlyMap<string, RegisteredType>>;

export const components: Register = registerAll(all);

function register(
  kind: ComponentKind,
  names: string | readonly [type: string, ...aliases: string[]],
  load: () => Promise<ComponentFactory>,
): RegisteredType {
  const [type, ...aliases] = typeof names === 'string' ? [names] : names;
  return { kind, type, aliases, load };
}

function registerAll(types: readonly RegisteredType[]): Register {
  const byKind = new Map<ComponentKind, Map<string, RegisteredType>>();
  for (const registered of types) {
    const ofKind = byKind.get(registered.kind) ?? new Map<string, RegisteredType>();
    byKind.set(registered.kind, ofKind);
    for (const name of [registered.type, ...registered.aliases]) ofKind.set(name, registered);
  }
  return byKind;
}
