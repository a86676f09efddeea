import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { createTestContext, type TestContext } from '../../test/support/context.ts';
import { createMemoryStore } from '../../test/support/memory-store.ts';
import { loadConfig } from '../config/index.ts';
import { RaybridgeError } from '../errors.ts';
import { createBatch } from './batches.ts';
import { type BuildInput, buildPipelines, destinationsOf, type Pipelines } from './build.ts';
import type { Batch } from './batch.ts';
import type { Component, ComponentFactory, ComponentKind, ExporterFactory, Intake } from './component.ts';
import { roomyLimits } from './queue-contract.ts';
import { openMemoryQueue } from './queue-memory.ts';

const deadlineMs = 5_000;

const twoPipelines = `
  receivers: {source/a: , source/b: , source/both: }
  processors: {tag: , tag/2: }
  exporters: {sink/one: , sink/two: {store: cupboard}}
  extensions: {door: }
  stores: {cupboard: }
  service:
    extensions: [door]
    pipelines:
      traces/a: {receivers: [source/a, source/both], processors: [tag, tag/2], exporters: [sink/one]}
      traces/b: {receivers: [source/b, source/both], exporters: [sink/one, sink/two]}`;

describe('a configuration', () => {
  it('delivers what a receiver takes to the exporters of its own pipelines only, through their processors', async () => {
    const house = await build(twoPipelines);
    await house.pipelines.start();
    await house.take('source/a', 'from a');
    await house.take('source/b', 'from b');
    await house.pipelines.shutdown(deadlineMs);
    assert.deepEqual(house.delivered('sink/one'), ['from a+tag+tag/2', 'from b']);
    assert.deepEqual(house.delivered('sink/two'), ['from b']);
  });

  it('delivers what a receiver of two pipelines takes on both ways', async () => {
    const house = await build(twoPipelines);
    await house.pipelines.start();
    await house.take('source/both', 'x');
    await house.pipelines.shutdown(deadlineMs);
    assert.deepEqual(house.delivered('sink/one'), ['x', 'x+tag+tag/2']);
    assert.deepEqual(house.delivered('sink/two'), ['x']);
  });

  it('delivers what an extension takes on every pipeline, because no pipeline can name it', async () => {
    const house = await build(twoPipelines);
    await house.pipelines.start();
    await house.take('door', 'x');
    await house.pipelines.shutdown(deadlineMs);
    assert.deepEqual(house.delivered('sink/one'), ['x', 'x+tag+tag/2']);
    assert.deepEqual(house.delivered('sink/two'), ['x']);
  });

  it('has a place in the queue for each exporter of each pipeline', async () => {
    const { config } = await build(twoPipelines);
    assert.deepEqual(destinationsOf(config, new Map()), [
      'traces/a>sink/one',
      'traces/b>sink/one',
      'traces/b>sink/two',
    ]);
  });

  it('keeps those places apart, whatever the names', async () => {
    const { config } = await build(`
      receivers: {source: }
      exporters: {sink: , tag/sink: }
      service:
        pipelines:
          traces: {receivers: [source], exporters: [tag/sink]}
          traces/tag: {receivers: [source], exporters: [sink]}`);
    assert.deepEqual(destinationsOf(config, new Map()), ['traces>tag/sink', 'traces/tag>sink']);
  });

  it('makes one exporter for all its pipelines, and processors for each', async () => {
    const { created } = await build(`
      receivers: {source: }
      processors: {tag: }
      exporters: {sink: }
      service:
        pipelines:
          traces/a: {receivers: [source], processors: [tag], exporters: [sink]}
          traces/b: {receivers: [source], processors: [tag], exporters: [sink]}`);
    assert.deepEqual(created, ['sink', 'tag', 'tag', 'source']);
  });

  it('shows every receiver with a zero before its first span', async () => {
    const { test } = await build(twoPipelines);
    assert.deepEqual(
      test.context.telemetry
        .series()
        .filter(({ name }) => name === 'raybridge_received_spans_total')
        .map(({ labels, value }) => [labels['receiver'], value]),
      [
        ['source/a', 0],
        ['source/both', 0],
        ['source/b', 0],
      ],
    );
  });

  it('tells a receiver which signals of its ignored pipelines it should swallow', async () => {
    const { ignored } = await build(`
      receivers: {source/a: , source/b: }
      exporters: {sink: }
      service:
        pipelines:
          traces: {receivers: [source/a, source/b], exporters: [sink]}
          metrics: {receivers: [source/b], exporters: [sink]}
          logs/2: {receivers: [source/b], exporters: [sink]}`);
    assert.deepEqual(
      new Map([...ignored].map(([id, signals]) => [id, [...signals].sort()])),
      new Map([
        ['source/a', []],
        ['source/b', ['logs', 'metrics']],
      ]),
    );
  });

  it('gives a component the store that it names', async () => {
    const { stores } = await build(`
      receivers: {source: }
      exporters: {sink: {store: cupboard/2}}
      stores: {cupboard: , cupboard/2: }
      service: {pipelines: {traces: {receivers: [source], exporters: [sink]}}}`);
    assert.equal(stores.get('sink'), stores.get('cupboard/2'));
  });

  it('is refused when a component names a store that does not exist', async () => {
    const text = `
      receivers: {source: }
      exporters: {sink: {cabinet: nowhere}}
      service: {pipelines: {traces: {receivers: [source], exporters: [sink]}}}`;
    await assert.rejects(build(text), {
      code: 'CONFIG_INVALID',
      message: 'sink: the store "nowhere" is not configured',
    });
  });
});

describe('the components of a configuration', () => {
  const starts = ['cupboard', 'sink/one', 'sink/two', 'tag', 'tag/2', 'door', 'source/a', 'source/both', 'source/b'];

  it('start in the direction of need, sources of data last; the stores open by themselves', async () => {
    const house = await build(twoPipelines);
    assert.deepEqual(house.events, []);
    await house.pipelines.openStores();
    assert.deepEqual(house.events, ['start cupboard']);
    await house.pipelines.start();
    assert.deepEqual(house.events.toSorted(), starts.map((id) => `start ${id}`).toSorted());
    const place = (id: string) => house.events.indexOf(`start ${id}`);
    for (const [earlier, later] of [
      ['cupboard', 'sink/one'],
      ['sink/two', 'door'],
      ['tag/2', 'door'],
      ['door', 'source/a'],
    ] as const)
      assert.ok(place(earlier) < place(later), `${earlier} before ${later}`);
    await house.pipelines.shutdown(deadlineMs);
  });

  it('shut down in reverse, and what was taken is delivered before the exporters go', async () => {
    const house = await build(twoPipelines);
    await house.pipelines.start();
    house.events.length = 0;
    await house.take('source/b', 'x');
    await house.pipelines.shutdown(deadlineMs);
    const place = (event: string) => {
      const index = house.events.indexOf(event);
      assert.notEqual(index, -1, event);
      return index;
    };
    for (const [earlier, later] of [
      ['shutdown source/a', 'shutdown door'],
      ['shutdown door', 'shutdown tag'],
      ['shutdown tag', 'shutdown sink/one'],
      ['export sink/one', 'shutdown sink/one'],
      ['export sink/two', 'shutdown sink/two'],
      ['shutdown sink/two', 'shutdown cupboard'],
    ] as const)
      assert.ok(place(earlier) < place(later), `${earlier} before ${later}`);
  });

  it('that come after one that cannot start are not started, and all are shut down', async () => {
    const house = await build(twoPipelines, { failing: 'start door' });
    await assert.rejects(house.pipelines.start(), { code: 'LISTEN_FAILED' });
    assert.equal(house.events.includes('start sink/one'), true);
    assert.equal(house.events.includes('start source/a'), false);
    await house.pipelines.shutdown(deadlineMs);
    for (const id of starts) assert.ok(house.events.includes(`shutdown ${id}`), id);
  });

  it('are all shut down, even when one of them fails at that', async () => {
    for (const failing of ['shutdown source/a', 'shutdown sink/one']) {
      const house = await build(twoPipelines, { failing });
      await house.pipelines.start();
      await assert.rejects(house.pipelines.shutdown(deadlineMs), { code: 'LISTEN_FAILED' });
      for (const id of starts) assert.ok(house.events.includes(`shutdown ${id}`), id);
    }
  });
});

/** A built configuration of components that only remember. */
interface House {
  readonly test: TestContext;
  readonly config: BuildInput['config'];
  readonly pipelines: Pipelines;
  /** Ids in the order of their making. */
  readonly created: readonly string[];
  /** `start sink`, `export sink`, `shutdown sink` … */
  readonly events: string[];
  readonly ignored: ReadonlyMap<string, ReadonlySet<string>>;
  /** By the id of the component that has it. */
  readonly stores: ReadonlyMap<string, unknown>;
  /** A receiver or extension consumes a batch of this text. */
  take(id: string, text: string): Promise<void>;
  /** Texts that an exporter was given, in order of the alphabet. */
  delivered(id: string): readonly string[];
}

async function build(text: string, { failing }: { readonly failing?: string } = {}): Promise<House> {
  const test = createTestContext('test');
  const intakes = new Map<string, Intake>();
  const ignored = new Map<string, ReadonlySet<string>>();
  const stores = new Map<string, unknown>();
  const delivered = new Map<string, string[]>();
  const created: string[] = [];
  const events: string[] = [];
  const note = (event: string): void => {
    events.push(event);
    if (event === failing) throw new RaybridgeError('LISTEN_FAILED', event);
  };
  const component = (id: string): Component => {
    created.push(id);
    return { start: async () => note(`start ${id}`), shutdown: async () => note(`shutdown ${id}`) };
  };

  const nothing = z.strictObject({});
  const exporter = (type: string): ExporterFactory => ({
    kind: 'exporter',
    type,
    configSchema: z.strictObject({ store: z.string().optional(), cabinet: z.string().optional() }),
    create({ config, context }) {
      const { id } = context;
      const store = config.store ?? config.cabinet;
      if (store) stores.set(id, context.store(store));
      return {
        ...component(id),
        gather: { bytesMax: 1_000_000, lingerMs: 0 },
        async export({ batches }) {
          note(`export ${id}`);
          delivered.set(id, [...(delivered.get(id) ?? []), ...batches.map(textOf)]);
        },
      };
    },
  });
  const factories: readonly ComponentFactory[] = [
    {
      kind: 'receiver',
      type: 'source',
      configSchema: nothing,
      create({ context: { id }, intake, ignoredSignals }) {
        intakes.set(id, intake);
        ignored.set(id, ignoredSignals);
        return component(id);
      },
    },
    {
      kind: 'extension',
      type: 'door',
      configSchema: nothing,
      create({ context: { id }, intake }) {
        intakes.set(id, intake);
        return component(id);
      },
    },
    {
      kind: 'processor',
      type: 'tag',
      configSchema: nothing,
      create: ({ context: { id } }) => ({
        ...component(id),
        process: (batch) => batchOf(`${textOf(batch)}+${id}`),
      }),
    },
    exporter('sink'),
    exporter('tag'),
    {
      kind: 'store',
      type: 'cupboard',
      configSchema: nothing,
      create({ context: { id } }) {
        const store = { ...createMemoryStore(), ...component(id) };
        stores.set(id, store);
        return store;
      },
    },
  ];
  const register = new Map<ComponentKind, ReadonlyMap<string, ComponentFactory>>(
    factories.map(({ kind }) => [
      kind,
      new Map(factories.filter((factory) => factory.kind === kind).map((factory) => [factory.type, factory])),
    ]),
  );
  const loaded = await loadConfig({
    locations: [`yaml:${text}`],
    sets: [],
    read: async () => '',
    env: new Map(),
    registry: new Map(
      [...register].map(([kind, types]) => [
        kind,
        new Map([...types].map(([type, factory]) => [type, { type: factory.type, load: async () => factory }])),
      ]),
    ),
  });
  assert.ok(loaded.config, JSON.stringify(loaded.problems));

  const { nowNs, telemetry } = test.context;
  const queue = openMemoryQueue({ limits: roomyLimits, nowNs, telemetry });
  const contextOf: BuildInput['contextOf'] = (id) => ({ ...test.context, id });
  return {
    test,
    config: loaded.config,
    pipelines: buildPipelines({ config: loaded.config, factories: register, queue, contextOf }),
    created,
    events,
    ignored,
    stores,
    async take(id, text) {
      const intake = intakes.get(id);
      assert.ok(intake, id);
      await intake.consume(batchOf(text));
    },
    delivered: (id) => (delivered.get(id) ?? []).toSorted(),
  };
}

/** Nobody here decodes it. */
function batchOf(text: string): Batch {
  const receivedAtNs = 1_700_000_000_000_000_000n;
  return createBatch({ format: 'otlp_proto', body: Buffer.from(text), items: 1, receivedAtNs });
}

function textOf({ body }: Batch): string {
  return Buffer.from(body).toString();
}
