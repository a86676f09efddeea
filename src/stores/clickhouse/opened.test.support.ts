import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestContext, type TestContext } from '../../../test/support/context.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { testSpan } from '../../../test/support/span.ts';
import type { Span } from '../../model/index.ts';
import type { StoreComponent } from '../../pipeline/component.ts';
import { clickhouseStore, createClickhouseStore } from './index.ts';
import { indexerLimits, type IndexerLimits } from './indexer.ts';
import { storeParts } from './store.ts';

/** For the tests of this folder: stores with a real engine, in directories that go away. */
export interface TestStore extends TestContext {
  readonly store: StoreComponent;
  /** Process id of the engine, as the engine itself noted it. */
  enginePid(): Promise<number>;
}

/** Questions of tests wait for what was written, however busy the machine is. */
export const patientLimits: IndexerLimits = { ...indexerLimits, settleMsMax: 60_000 };

export function createTestStore(dataDir: string, config: object = {}): TestStore {
  const testContext = createTestContext('clickhouse');
  return {
    ...testContext,
    store: createClickhouseStore(
      clickhouseStore.configSchema.parse(config) as Parameters<typeof createClickhouseStore>[0],
      { ...testContext.context, dataDir },
      { ...storeParts, limits: patientLimits },
    ),
    async enginePid() {
      const status = await readFile(join(dataDir, 'clickhouse', 'data', 'status'), 'utf8');
      return Number(/PID: (\d+)/.exec(status)?.[1]);
    },
  };
}

export async function openTestStore(dataDir: string, config: object = {}): Promise<TestStore> {
  const opened = createTestStore(dataDir, config);
  await opened.store.start();
  await untilReady(opened);
  return opened;
}

export async function untilReady({ store }: TestStore): Promise<void> {
  await eventually('the store to be ready', async () => store.ready || undefined);
}

export async function makeDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'raybridge-store-'));
}

export async function withDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await makeDirectory();
  await run(directory).finally(() => rm(directory, { recursive: true }));
}

export const second = 1_000_000_000n;
export const nowNs = BigInt(Date.now()) * 1_000_000n;

/** Its first 32 bits are a time in 2106, so no test takes it for an X-Ray id. */
export function newTraceId(): string {
  return `fffffff0${randomBytes(12).toString('hex')}`;
}

/** A span of its own, that began now. */
export function makeSpan(members: Partial<Span>): Span {
  return testSpan({
    traceId: newTraceId(),
    spanId: randomBytes(8).toString('hex'),
    startTimeNs: nowNs,
    endTimeNs: nowNs + second,
    ...members,
  });
}
