import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import type { Span } from '../../src/model/index.ts';
import type { StoreComponent } from '../../src/pipeline/component.ts';
import { clickhouseStore } from '../../src/stores/clickhouse/index.ts';
import { createTestContext } from '../../test/support/context.ts';
import { makeTrace, spansPerTrace } from '../../test/support/traffic.ts';

/** What is in a data directory: traces number 0 to `traces`, evenly over the time before `endMs`. */
export interface Dataset {
  readonly traces: number;
  readonly seed: number;
  readonly fromMs: number;
  readonly endMs: number;
}

export const dayMs = 24 * 60 * 60 * 1000;
/** So that data which is kept for later runs does not go away between them. */
export const retention = '87600h';

/** As many as the store's exporter gathers at most. */
const spansPerWrite = 20_000;
/** One trace in so many comes in two writes, as when its services export at different times. */
const tracesPerLate = 8;
const stillMs = 3_000;
const settledMsMax = 300_000;
const shutdownMsMax = 30_000;

/** The data of the directory when it is what is wanted, else newly made data. */
export async function loadedDataset(dataDir: string, wanted: { traces: number; seed: number }): Promise<Dataset> {
  const path = join(dataDir, 'bench-query.json');
  const found = await readFile(path, 'utf8').catch(() => undefined);
  if (found !== undefined) {
    const dataset: Dataset = JSON.parse(found);
    if (dataset.traces === wanted.traces && dataset.seed === wanted.seed) {
      console.log(`data        ${dataset.traces} traces are there, until ${new Date(dataset.endMs).toISOString()}`);
      return dataset;
    }
    throw new Error(`${dataDir} holds ${dataset.traces} traces of seed ${dataset.seed}: choose another directory`);
  }
  await mkdir(dataDir, { recursive: true });
  const endMs = Date.now() - 60_000;
  const dataset = { ...wanted, fromMs: endMs - dayMs, endMs };
  await load(dataDir, dataset);
  await writeFile(path, JSON.stringify(dataset));
  return dataset;
}

/** One trace of the data. */
export function traceOf({ traces, seed, fromMs, endMs }: Dataset, number: number): readonly Span[] {
  const startMs = fromMs + ((endMs - fromMs) * number) / traces;
  return makeTrace({ number, seed, startTimeNs: BigInt(Math.floor(startMs * 1000)) * 1000n });
}

/** Through the store's own `write`, as its exporter does. */
async function load(dataDir: string, dataset: Dataset): Promise<void> {
  const store = openStore(dataDir);
  await store.start();
  while (!store.ready) await wait(50);

  const startedAt = performance.now();
  let makingMs = 0;
  let written = 0;
  let version = 0n;
  let late: readonly Span[] = [];
  const tracesPerWrite = spansPerWrite / spansPerTrace;
  for (let first = 0; first < dataset.traces || late.length > 0; first += tracesPerWrite) {
    const makesAt = performance.now();
    const { spans, rest } = gather(dataset, first, Math.min(first + tracesPerWrite, dataset.traces));
    const batch = [...late, ...spans];
    late = rest;
    makingMs += performance.now() - makesAt;
    version += 1n;
    const receivedAtNs = batch.reduce((latest, { endTimeNs }) => (endTimeNs > latest ? endTimeNs : latest), 0n);
    await store.write({ spans: batch, receivedAtNs, version, token: `bench-${dataset.seed}-${version}` });
    written += batch.length;
    if (version % 50n === 0n) console.log(`            ${written} spans written`);
  }
  const writingMs = performance.now() - startedAt - makingMs;
  const settledAfterMs = await settled(store, performance.now());
  const { bytesOnDisk } = await store.statistics();
  await store.shutdown(shutdownMsMax);
  console.log(
    `data        ${written} spans of ${dataset.traces} traces in ${(writingMs / 1000).toFixed(0)} s: ` +
      `${Math.round((written / writingMs) * 1000)} spans/s; still after ${(settledAfterMs / 1000).toFixed(0)} s more, ` +
      `${(bytesOnDisk / written).toFixed(0)} bytes a span on disk`,
  );
}

function openStore(dataDir: string): StoreComponent {
  const { context } = createTestContext('clickhouse');
  return clickhouseStore.create({
    config: clickhouseStore.configSchema.parse({ retention }),
    context: { ...context, dataDir, nowNs: () => BigInt(Date.now()) * 1_000_000n },
  });
}

function gather(dataset: Dataset, from: number, to: number): { spans: Span[]; rest: Span[] } {
  const spans: Span[] = [];
  const rest: Span[] = [];
  for (let number = from; number < to; number++) {
    const trace = traceOf(dataset, number);
    const inTime = number % tracesPerLate === 0 ? trace.length >> 1 : trace.length;
    trace.forEach((span, index) => void (index < inTime ? spans : rest).push(span));
  }
  return { spans, rest };
}

/** Waits until the engine has merged what it wants to merge at once: the bytes on disk stay the same. */
async function settled(store: StoreComponent, sinceMs: number): Promise<number> {
  let bytes = -1;
  let sameSinceMs = performance.now();
  while (performance.now() - sinceMs < settledMsMax) {
    const { bytesOnDisk } = await store.statistics();
    if (bytesOnDisk !== bytes) sameSinceMs = performance.now();
    if (performance.now() - sameSinceMs > stillMs) return sameSinceMs - sinceMs;
    bytes = bytesOnDisk;
    await wait(500);
  }
  return settledMsMax;
}
