import type { Config, ConfiguredComponent, PipelineConfig } from '../config/index.ts';
import { RaybridgeError } from '../errors.ts';
import type { Batch } from './batch.ts';
import { createBatch } from './batches.ts';
import { createProblemReport } from './conversion-problems.ts';
import type {
  Component,
  ComponentFactory,
  ComponentKind,
  ConnectorFactory,
  Context,
  Exporter,
  ExporterFactory,
  Extension,
  ExtensionFactory,
  Intake,
  Processor,
  ProcessorFactory,
  ReceiverFactory,
  StoreComponent,
  StoreFactory,
  TraceProcessor,
} from './component.ts';
import { createDelivery } from './delivery.ts';
import { createIntake } from './intake.ts';
import type { DurableQueue, QueueRecord } from './queue.ts';
import { destinationsIn, type Route, type RouteRules, routesOf, type Step } from './routes.ts';
import { createSamplingService } from './sampling-service.ts';
import { createTraceStage } from './trace-stage.ts';

/** A configuration that runs. */
export interface Pipelines {
  /**
   * Starts the stores. Not waited for by the others: spans wait in the queue, questions get
   * STORE_UNAVAILABLE. Rejects when one of them will never open.
   */
  openStores(): Promise<void>;
  /** Starts everything else, sources of data last. After an error, `shutdown` ends what was started. */
  start(): Promise<void>;
  /**
   * Stops the sources first and the stores last; deliveries have until the deadline, the rest stays
   * in the queue. Rejects with the first failure after all have been shut down.
   */
  shutdown(deadlineMs: number): Promise<void>;
}

export interface BuildInput {
  readonly config: Config;
  /** Those that the configuration needs. */
  readonly factories: Factories;
  readonly queue: DurableQueue;
  /** What every batch goes through before it is put into the queue. */
  readonly redact?: ((batch: Batch) => Batch) | undefined;
  /** The context of a component, without what other components provide. */
  readonly contextOf: (id: string) => Omit<Context, 'store' | 'sampling' | 'authenticator'>;
}

/** By kind, then by type. */
export type Factories = ReadonlyMap<ComponentKind, ReadonlyMap<string, ComponentFactory>>;

/** What makes components, as far as it is not loaded. */
type Register = ReadonlyMap<ComponentKind, ReadonlyMap<string, { load(): Promise<ComponentFactory> }>>;

/** The factories of all components of a checked configuration. */
export async function loadFactories(config: Config, register: Register): Promise<Factories> {
  const factories = new Map<ComponentKind, Map<string, ComponentFactory>>();
  for (const kind of ['receiver', 'processor', 'exporter', 'connector', 'extension', 'store'] as const) {
    const ofKind = new Map<string, ComponentFactory>();
    factories.set(kind, ofKind);
    for (const { type } of config[`${kind}s`]) {
      ofKind.set(type, await found(register.get(kind)?.get(type), `the ${kind} type "${type}"`).load());
    }
  }
  return factories;
}

/** The names under which records wait in the queue. */
export function destinationsOf(config: Config, factories: Factories): readonly string[] {
  const rules = rulesOf(config, factories);
  return config.pipelines.flatMap((pipeline) => destinationsIn(routesOf(config, pipeline, rules)));
}

function rulesOf(config: Config, factories: Factories): RouteRules {
  const gathering = config.processors.filter(
    ({ type }) => 'gathersTraces' in (factories.get('processor')?.get(type) ?? {}),
  );
  const forwarding = config.connectors.filter(({ type }) => {
    const factory = factories.get('connector')?.get(type);
    return factory !== undefined && 'endsPipelines' in factory && !factory.endsPipelines;
  });
  return {
    gathers: (id) => gathering.some((processor) => processor.id === id),
    forwards: (id) => forwarding.some((connector) => connector.id === id),
  };
}

/** Makes every component of a checked configuration and connects them. Nothing is started yet. */
export function buildPipelines({ config, factories, queue, redact, contextOf }: BuildInput): Pipelines {
  const stores = new Map<string, StoreComponent>();
  const extensions = new Map<string, Extension>();
  // Rules are the process's, not a component's, so they are in the first store of the configuration.
  const sampling = createSamplingService({
    store: () => stores.values().next().value,
    nowNs: contextOf('sampling').nowNs,
  });
  const fullContext = (id: string): Context => ({
    ...contextOf(id),
    sampling,
    store: (storeId) => found(stores.get(storeId), `${id}: the store "${storeId}"`),
    authenticator: (extensionId) =>
      found(extensions.get(extensionId)?.authenticator, `${id}: the authenticator "${extensionId}"`),
  });

  for (const { id, type, config: settings } of config.stores) {
    stores.set(
      id,
      factoryOf<StoreFactory>(factories, 'store', type).create({ config: settings, context: fullContext(id) }),
    );
  }
  const exporters = new Map<string, Exporter>();
  for (const { id, type, config: settings } of config.exporters) {
    exporters.set(
      id,
      factoryOf<ExporterFactory>(factories, 'exporter', type).create({ config: settings, context: fullContext(id) }),
    );
  }
  for (const { id, type, config: settings } of config.connectors) {
    const connector = factoryOf<ConnectorFactory>(factories, 'connector', type).create({
      config: settings,
      context: fullContext(id),
    });
    if (connector) exporters.set(id, connector);
  }
  const processors = new Map<string, Processor | TraceProcessor>();
  for (const pipeline of config.pipelines) {
    for (const id of pipeline.processors) {
      const { type, config: settings } = configured(config.processors, id);
      const factory = factoryOf<ProcessorFactory>(factories, 'processor', type);
      processors.set(
        keyOf({ pipeline: pipeline.id, processor: id }),
        factory.create({ config: settings, context: fullContext(id) }),
      );
    }
  }
  const processorAt = (step: Step): Processor | TraceProcessor => found(processors.get(keyOf(step)), step.processor);
  const stepsOf = (steps: readonly Step[]): readonly Processor[] => steps.map(processorAt).filter(isPlain);

  const deliveryOf = ({ destination, steps, end, next }: Route): readonly Component[] => {
    const context = contextOf(end.kind === 'exporter' ? end.id : end.step.processor);
    const report = createProblemReport({ ...context, destination });
    // Shows the destination before its first span, and what waits for it.
    const labels = { exporter: destination };
    const waiting = { raybridge_queue_records: 'pending', raybridge_queue_spans: 'pendingItems' } as const;
    for (const [name, of] of Object.entries(waiting)) {
      context.telemetry.gauge(name, labels, () => queue.statistics()[of].get(destination) ?? 0);
    }
    const common = {
      ...context,
      destination,
      queue,
      processors: stepsOf(steps),
      toBatch: (record: QueueRecord) => createBatch(record, report),
    };
    if (end.kind === 'exporter') {
      const exporter = found(exporters.get(end.id), `${destination}: the exporter "${end.id}"`);
      return [createDelivery({ ...common, exporter })];
    }
    const processor = processorAt(end.step);
    if (isPlain(processor)) throw new RaybridgeError('CONFIG_INVALID', `${destination}: gathers no traces`);
    const stage = createTraceStage({ ...common, processor, next: next.map((route) => route.destination) });
    return [stage, ...next.flatMap(deliveryOf)];
  };

  const rules = rulesOf(config, factories);
  const routes = new Map(config.pipelines.map((pipeline) => [pipeline.id, routesOf(config, pipeline, rules)]));
  const forwarded = (pipeline: PipelineConfig): boolean => pipeline.receivers.every((id) => rules.forwards(id));
  const deliveries = config.pipelines
    .filter((pipeline) => !forwarded(pipeline))
    .flatMap((pipeline) => routes.get(pipeline.id) ?? [])
    .flatMap(deliveryOf);
  const intakeOf = (pipelines: readonly PipelineConfig[]): Intake => {
    const entered = pipelines.flatMap(({ id }) => routes.get(id) ?? []);
    return createIntake(
      queue,
      entered.map(({ destination }) => destination),
      entered.flatMap(({ steps }) => stepsOf(steps)),
      redact,
    );
  };
  // An extension that takes data in, such as the X-Ray API, feeds every pipeline: no pipeline can name it.
  const intakeOfAll = intakeOf(config.pipelines.filter((pipeline) => !forwarded(pipeline)));
  for (const { id, type, config: settings } of config.extensions) {
    const factory = factoryOf<ExtensionFactory>(factories, 'extension', type);
    extensions.set(id, factory.create({ config: settings, context: fullContext(id), intake: intakeOfAll }));
  }
  const receivers = config.receivers.map(({ id, type, config: settings }) => {
    const context = fullContext(id);
    // Shows the receiver before its first span: whoever waits for that one sees where it is expected.
    context.telemetry.count('raybridge_received_spans_total', { receiver: id }, 0);
    return factoryOf<ReceiverFactory>(factories, 'receiver', type).create({
      config: settings,
      context,
      intake: intakeOf(config.pipelines.filter((pipeline) => pipeline.receivers.includes(id))),
      ignoredSignals: new Set(
        config.ignoredPipelines.filter((pipeline) => pipeline.receivers.includes(id)).map(({ signal }) => signal),
      ),
    });
  });

  return runInOrder(
    [...stores.values()],
    [[...exporters.values()], [...processors.values()], deliveries, [...extensions.values()], receivers],
  );
}

function keyOf({ pipeline, processor }: Step): string {
  return `${pipeline}>${processor}`;
}

function isPlain(processor: Processor | TraceProcessor): processor is Processor {
  return 'process' in processor;
}

function factoryOf<Wanted extends ComponentFactory>(factories: Factories, kind: Wanted['kind'], type: string): Wanted {
  // Every factory stands under its own kind.
  return found(factories.get(kind)?.get(type), `the ${kind} type "${type}"`) as Wanted;
}

function configured(all: readonly ConfiguredComponent[], id: string): ConfiguredComponent {
  return found(
    all.find((component) => component.id === id),
    `the component "${id}"`,
  );
}

function found<Thing>(thing: Thing | undefined, what: string): Thing {
  if (thing !== undefined) return thing;
  throw new RaybridgeError('CONFIG_INVALID', `${what} is not configured`);
}

/** Ranks start one after the other and shut down in reverse, the stores last; components of one rank shut down together. */
function runInOrder(stores: readonly Component[], ranks: readonly (readonly Component[])[]): Pipelines {
  return {
    async openStores() {
      await Promise.all(stores.map((store) => store.start()));
    },
    async start() {
      for (const component of ranks.flat()) await component.start();
    },
    async shutdown(deadlineMs) {
      const failures: unknown[] = [];
      // One that fails must not keep the others running, an engine in its own process least of all.
      for (const rank of [stores, ...ranks].toReversed()) {
        const ends = await Promise.allSettled(rank.map(async (component) => component.shutdown(deadlineMs)));
        for (const end of ends) if (end.status === 'rejected') failures.push(end.reason);
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
