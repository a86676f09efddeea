import { createBatch } from '../../src/pipeline/batches.ts';
import type { Exporter } from '../../src/pipeline/component.ts';
import { createDelivery } from '../../src/pipeline/delivery.ts';
import { openMemoryQueue } from '../../src/pipeline/queue-memory.ts';
import type { NewRecord } from '../../src/pipeline/queue.ts';
import { createTestContext, type TestContext } from './context.ts';
import { eventually } from './eventually.ts';

/** An exporter behind the real queue and the real delivery, whose pauses take no time. */
export interface Delivering {
  readonly setting: TestContext;
  /** How long the delivery would have paused, in milliseconds. */
  readonly pauses: readonly number[];
  put(record: Pick<NewRecord, 'format' | 'body' | 'items'>): Promise<void>;
  /** Waits until nothing is left in the queue but dead letters. */
  settled(): Promise<void>;
  /** By reason. */
  deadLetters(): ReadonlyMap<string, number>;
  delivered(): number;
  stop(): Promise<void>;
}

const destination = 'traces>tested';

export async function startDelivering(create: (setting: TestContext) => Exporter): Promise<Delivering> {
  const setting = createTestContext('tested');
  const { telemetry, status, log, nowNs } = setting.context;
  const limits = { bytesMax: 1e9, freeBytesMin: 0, ageMaxMs: 1e12 };
  const queue = openMemoryQueue({ limits, nowNs, telemetry });
  const exporter = create(setting);
  const pauses: number[] = [];
  const delivery = createDelivery({
    destination,
    queue,
    exporter,
    processors: [],
    toBatch: (record) => createBatch(record),
    telemetry,
    status,
    log,
    random: () => 0.5,
    async sleep(ms) {
      pauses.push(ms);
      await new Promise(setImmediate);
    },
  });
  await exporter.start();
  await delivery.start();
  return {
    setting,
    pauses,
    put: (record) => queue.enqueue({ ...record, receivedAtNs: nowNs() }, [destination]),
    async settled() {
      await eventually('an empty queue', async () =>
        (queue.statistics().pending.get(destination) ?? 0) === 0 ? true : undefined,
      );
    },
    deadLetters: () =>
      new Map(
        telemetry
          .series()
          .filter(({ name }) => name === 'raybridge_dead_lettered_spans_total')
          .map(({ labels, value }) => [labels['reason'] ?? '', value]),
      ),
    delivered: () => setting.value('raybridge_delivered_spans_total', { exporter: destination }),
    async stop() {
      await delivery.shutdown(0);
      await exporter.shutdown(0);
      await queue.close();
    },
  };
}
