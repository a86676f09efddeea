import { createHttpHost, type RunningHttpHost } from '../../src/net/http.ts';
import type { Batch } from '../../src/pipeline/batch.ts';
import type { Context, Intake, Logger } from '../../src/pipeline/component.ts';
import { createSamplingService } from '../../src/pipeline/sampling-service.ts';
import type { SamplingService } from '../../src/pipeline/sampling.ts';
import { createStatus } from '../../src/pipeline/status.ts';
import { createTelemetry, type Labels } from '../../src/pipeline/telemetry.ts';

/** What a component under test is given: real telemetry, status and HTTP host, and a log that is kept. */
export interface TestContext {
  readonly context: Context;
  readonly http: RunningHttpHost;
  readonly log: TestLog;
  /** The value of one counter or gauge; 0 when it was never touched. */
  value(name: string, labels: Labels): number;
  /** host:port of an open listener. */
  address(protocol: string): string;
}

export interface TestLog extends Logger {
  readonly entries: readonly LogEntry[];
}

export interface LogEntry {
  readonly level: keyof Logger;
  readonly fields: object;
  readonly message: string;
}

/** What the clock of a test context says, always. */
const testNowNs = 1_700_000_000_000_000_000n;

export function createTestContext(id: string, sampling = defaultSampling()): TestContext {
  const log = createTestLog();
  const status = createStatus();
  const telemetry = createTelemetry();
  const http = createHttpHost({ status, log, insecureNoAuth: false });
  const context: Context = {
    id,
    log,
    nowNs: () => testNowNs,
    telemetry,
    status,
    http,
    sampling,
    dataDir: '/nonexistent',
    version: '0.0.0-test',
    store: (storeId) => {
      throw new Error(`this test has no store ${storeId}`);
    },
    authenticator: (extensionId) => {
      throw new Error(`this test has no authenticator ${extensionId}`);
    },
  };
  return {
    context,
    http,
    log,
    value(name, labels) {
      const wanted = JSON.stringify(labels);
      return telemetry.series().find((one) => one.name === name && JSON.stringify(one.labels) === wanted)?.value ?? 0;
    },
    address(protocol) {
      const listener = status.listeners.find((one) => one.protocol === protocol);
      if (!listener) throw new Error(`nothing listens for ${protocol}`);
      return listener.address;
    },
  };
}

export function createTestLog(): TestLog {
  const entries: LogEntry[] = [];
  const write =
    (level: keyof Logger) =>
    (fields: object, message: string): void =>
      void entries.push({ level, fields, message });
  return { entries, debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** An intake in memory that can be told to refuse. */
export interface TestIntake extends Intake {
  readonly batches: readonly Batch[];
  /** Every later batch fails with this; undefined takes them again. */
  refuseWith(error: Error | undefined): void;
  /** Resolves when that many batches have been taken. */
  taken(count: number): Promise<void>;
}

export function createTestIntake(): TestIntake {
  const batches: Batch[] = [];
  let waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  let refusal: Error | undefined;
  return {
    batches,
    refuseWith(error) {
      refusal = error;
    },
    taken: (count) =>
      new Promise((resolve) => {
        if (batches.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    async consume(batch) {
      if (refusal) throw refusal;
      batches.push(batch);
      for (const { count, resolve } of waiting) if (batches.length >= count) resolve();
      waiting = waiting.filter(({ count }) => batches.length < count);
    },
  };
}

/** The real service over no store: the default rule and no other. */
function defaultSampling(): SamplingService {
  return { ...createSamplingService({ store: () => undefined, nowNs: () => testNowNs }), isLocal: true };
}
