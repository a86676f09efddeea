import { awsproxy } from './extensions/awsproxy/index.ts';
import { bearertokenauth } from './extensions/bearertokenauth/index.ts';
import { basicauth } from './extensions/basicauth/index.ts';
import { headersSetter } from './extensions/headers_setter/index.ts';
import { sigv4auth } from './extensions/sigv4auth/index.ts';
import { healthCheck } from './extensions/health_check/index.ts';
import { fileStorage } from './extensions/file_storage/index.ts';
import { fluentBitMonitoring } from './extensions/fluent_bit_monitoring/index.ts';
import { consoleExtension } from './extensions/console/index.ts';
import { health } from './extensions/health/index.ts';
import { xrayApi } from './extensions/xray_api/index.ts';
import { awsxrayExporter } from './exporters/awsxray/index.ts';
import { debugExporter } from './exporters/debug/index.ts';
import { nopExporter } from './exporters/nop/index.ts';
import { otlpGrpcExporter } from './exporters/otlp_grpc/index.ts';
import { otlpHttpExporter } from './exporters/otlp_http/index.ts';
import { storeExporter } from './exporters/store/index.ts';
import type { ComponentFactory, ComponentKind } from './pipeline/component.ts';
import { attributesProcessor } from './processors/attributes/index.ts';
import { batchProcessor } from './processors/batch/index.ts';
import { forwardConnector } from './connectors/forward/index.ts';
import { groupbytraceProcessor } from './processors/groupbytrace/index.ts';
import { tailSamplingProcessor } from './processors/tail_sampling/index.ts';
import { filterProcessor } from './processors/filter/index.ts';
import { fluentBitSamplerProcessor } from './processors/fluent_bit_sampler/index.ts';
import { memoryLimiterProcessor } from './processors/memory_limiter/index.ts';
import { probabilisticSamplerProcessor } from './processors/probabilistic_sampler/index.ts';
import { resourceProcessor } from './processors/resource/index.ts';
import { resourcedetectionProcessor } from './processors/resourcedetection/index.ts';
import { awsxrayReceiver } from './receivers/awsxray/index.ts';
import { awsxrayPollerReceiver } from './receivers/awsxray_poller/index.ts';
import { nopReceiver } from './receivers/nop/index.ts';
import { otlpReceiver } from './receivers/otlp/index.ts';
import { clickhouseStore } from './stores/clickhouse/index.ts';

/** Every component, one line each. */
const all: readonly ComponentFactory[] = [
  otlpReceiver,
  awsxrayReceiver,
  awsxrayPollerReceiver,
  nopReceiver,
  attributesProcessor,
  batchProcessor,
  filterProcessor,
  groupbytraceProcessor,
  tailSamplingProcessor,
  forwardConnector,
  fluentBitSamplerProcessor,
  memoryLimiterProcessor,
  probabilisticSamplerProcessor,
  resourceProcessor,
  resourcedetectionProcessor,
  storeExporter,
  awsxrayExporter,
  debugExporter,
  nopExporter,
  otlpGrpcExporter,
  otlpHttpExporter,
  clickhouseStore,
  xrayApi,
  consoleExtension,
  health,
  awsproxy,
  fluentBitMonitoring,
  fileStorage,
  healthCheck,
  sigv4auth,
  headersSetter,
  basicauth,
  bearertokenauth,
];

/** Factories by kind, then by type or alias. */
export type Register = ReadonlyMap<ComponentKind, ReadonlyMap<string, ComponentFactory>>;

export const components: Register = registerAll(all);

function registerAll(factories: readonly ComponentFactory[]): Register {
  const register = new Map<ComponentKind, Map<string, ComponentFactory>>();
  for (const factory of factories) {
    const ofKind = register.get(factory.kind) ?? new Map<string, ComponentFactory>();
    register.set(factory.kind, ofKind);
    for (const type of [factory.type, ...(factory.aliases ?? [])]) ofKind.set(type, factory);
  }
  return register;
}
