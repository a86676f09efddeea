import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Register, components } from './components.ts';
import type { Config } from './config/index.ts';
import { openControl } from './control.ts';
import { claimDataDir } from './data-dir.ts';
import { RaybridgeError } from './errors.ts';
import { createHttpHost } from './net/http.ts';
import { type BuildInput, buildPipelines, destinationsOf, type Factories, loadFactories } from './pipeline/build.ts';
import type { Logger } from './pipeline/component.ts';
import { openLmdbQueue } from './pipeline/queue-lmdb.ts';
import { openMemoryQueue } from './pipeline/queue-memory.ts';
import type { DeadLetters, DurableQueue } from './pipeline/queue.ts';
import { createStatus, type Status } from './pipeline/status.ts';
import { createTurns } from './pipeline/turns.ts';
import { createTelemetry, type Telemetry } from './pipeline/telemetry.ts';
import { createRedaction } from './transform/redaction/index.ts';
import { version } from './version.ts';

/** One Raybridge in this process. */
export interface Raybridge {
  /** Of the configuration that runs. */
  readonly status: Status;
  readonly telemetry: Telemetry;
  /** Resolves when every listener is open. The stores open meanwhile; until then spans wait in the queue. */
  start(): Promise<void>;
  /** Resolves when the stores are open or being tried again; rejects when one never will be. After `start`. */
  storesOpen(): Promise<void>;
  /**
   * Runs another configuration on the same queue. Listeners are closed for a moment; what was taken
   * in waits in the queue. Rejects when the new one cannot run; then the old one runs again.
   */
  reload(config: Config): Promise<void>;
  /** Stops taking data, gives deliveries until the deadline; what is left stays in the queue. */
  shutdown(deadlineMs?: number): Promise<void>;
}

export interface RaybridgeOptions {
  readonly config: Config;
  /** Absolute path; created with mode 0700 if missing. */
  readonly dataDir: string;
  readonly log: Logger;
  /** API and console may be bound to addresses other than loopback although nobody has to sign in. */
  readonly insecureNoAuth?: boolean;
  /** Moves an intake queue that cannot be opened aside and starts with an empty one. */
  readonly allowQueueReset?: boolean;
  /** The queue can no longer write; the owner should exit with code 74. */
  readonly onFatal?: (error: RaybridgeError) => void;
}

const drainDeadlineMs = 20_000;
/** Deliveries under way at a reload; what is cut off is delivered by the next configuration. */
const reloadDeadlineMs = 2_000;

/** @throws RaybridgeError QUEUE_CORRUPT, DATA_TOO_NEW, DATA_DIR_IN_USE, CONFIG_INVALID. */
export async function createRaybridge(options: RaybridgeOptions, register: Register = components): Promise<Raybridge> {
  const { dataDir, log } = options;
  const status = createStatus();
  const telemetry = createTelemetry();
  const release = await claim(dataDir, log);
  const releaseOnFailure = async (error: unknown): Promise<never> => {
    await release?.();
    throw error;
  };
  const factories = await loadFactories(options.config, register).catch(releaseOnFailure);
  const destinations = destinationsOf(options.config, factories);
  const setup = { status, telemetry, destinations, writable: release !== undefined };
  const { queue, letters } = await openQueue(options, setup).catch(releaseOnFailure);
  const control = letters && (await openControl(dataDir, { letters, log }).catch(releaseOnFailure));
  const arrange = (config: Config, loaded: Factories): Arrangement =>
    createArrangement(config, { options, factories: loaded, queue, status, telemetry });

  let running = { config: options.config, factories, arrangement: arrange(options.config, factories) };
  const inTurn = createTurns();

  return {
    get status() {
      return running.arrangement.status;
    },
    get telemetry() {
      return running.arrangement.telemetry;
    },
    start: () => inTurn(() => running.arrangement.start()),
    storesOpen: () => running.arrangement.storesOpen(),
    reload: (config) =>
      inTurn(async () => {
        const loaded = await loadFactories(config, register);
        const next = arrange(config, loaded);
        await running.arrangement.shutdown(reloadDeadlineMs);
        try {
          await next.start();
          running = { config, factories: loaded, arrangement: next };
        } catch (error) {
          await next.shutdown(0);
          running = { ...running, arrangement: arrange(running.config, running.factories) };
          await running.arrangement.start();
          throw error;
        }
      }),
    shutdown: (deadlineMs = drainDeadlineMs) =>
      inTurn(async () => {
        try {
          await running.arrangement.shutdown(deadlineMs);
        } finally {
          await control?.close();
          await queue.close();
          await release?.();
        }
      }),
  };
}

/** What one configuration makes of the process. */
interface Arrangement {
  readonly status: Status;
  readonly telemetry: Telemetry;
  start(): Promise<void>;
  storesOpen(): Promise<void>;
  shutdown(deadlineMs: number): Promise<void>;
}

interface Standing {
  readonly options: RaybridgeOptions;
  readonly factories: Factories;
  readonly queue: DurableQueue;
  readonly status: Status;
  readonly telemetry: Telemetry;
}

/** @throws RaybridgeError CONFIG_INVALID. */
function createArrangement(config: Config, standing: Standing): Arrangement {
  const { dataDir, log, insecureNoAuth = false } = standing.options;
  const status = createStatus(standing.status);
  const telemetry = createTelemetry(standing.telemetry);
  const http = createHttpHost({ status, log, insecureNoAuth });
  const contextOf: BuildInput['contextOf'] = (id) => ({ id, log, nowNs, telemetry, status, http, dataDir, version });
  const redact = redactionOf(config, telemetry);
  const pipelines = buildPipelines({ config, factories: standing.factories, queue: standing.queue, redact, contextOf });
  let opening = Promise.resolve();

  return {
    status,
    telemetry,
    async start() {
      opening = pipelines.openStores();
      // Whoever started us asks by storesOpen; until then a failure must not end the process.
      opening.catch(() => {});
      await pipelines.start();
      await http.listen();
    },
    storesOpen: () => opening,
    async shutdown(deadlineMs) {
      const endsAtMs = performance.now() + deadlineMs;
      try {
        await http.close(deadlineMs);
      } finally {
        await pipelines.shutdown(Math.max(0, endsAtMs - performance.now()));
      }
    },
  };
}

function redactionOf({ redaction }: Config, telemetry: Telemetry): BuildInput['redact'] {
  if (!redaction.enabled) return undefined;
  const { keys, emails, allowed_keys: allowedKeys, card_numbers: cardNumbers } = redaction;
  return createRedaction({ keys, allowedKeys, emails, cardNumbers }, (values) =>
    telemetry.count('raybridge_redacted_values_total', {}, values),
  );
}

/** The queue of a data directory on which no Raybridge runs, for an operator; the caller has claimed the directory. */
export async function openQueueOfStopped(dir: string): Promise<DurableQueue & DeadLetters> {
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  return await openLmdbQueue({
    dir,
    // Nothing expires while somebody only looks.
    limits: { bytesMax: Number.MAX_SAFE_INTEGER, freeBytesMin: 0, ageMaxMs: Number.MAX_SAFE_INTEGER },
    destinations: [],
    nowNs,
    log: silent,
    telemetry: createTelemetry(),
    status: createStatus(),
    onFatal(error) {
      throw error;
    },
  });
}

/** Undefined when the directory cannot be written. */
async function claim(dataDir: string, log: Logger): Promise<(() => Promise<void>) | undefined> {
  try {
    return await claimDataDir(dataDir);
  } catch (error) {
    if (error instanceof RaybridgeError) throw error;
    log.warn(
      { err: error, dataDir },
      'the data directory cannot be written: data is kept in memory only, and a crash loses it',
    );
    return undefined;
  }
}

/** Space on the volume that the queue leaves alone, and the most it takes, in bytes; on a small volume a share of it. */
const freeBytesMin = 512 * 1024 * 1024;
const queueBytesMax = 1024 * 1024 * 1024;
const volumeShareMax = 0.25;
const queueAgeMaxMs = 7 * 24 * 3600 * 1000;
/** Of a queue in memory, in bytes. */
const memoryQueueBytesMax = 64 * 1024 * 1024;

/** On disk; in memory when the data directory cannot be written. */
async function openQueue(
  { dataDir, log, allowQueueReset = false, onFatal }: RaybridgeOptions,
  {
    status,
    telemetry,
    destinations,
    writable,
  }: {
    readonly status: Status;
    readonly telemetry: Telemetry;
    readonly destinations: readonly string[];
    readonly writable: boolean;
  },
): Promise<{ readonly queue: DurableQueue; readonly letters?: DeadLetters }> {
  if (!writable) {
    const limits = { bytesMax: memoryQueueBytesMax, freeBytesMin: 0, ageMaxMs: queueAgeMaxMs };
    return { queue: openMemoryQueue({ limits, nowNs, telemetry }) };
  }
  const { blocks, bsize } = await statfs(dataDir);
  const share = blocks * bsize * volumeShareMax;
  const limits = {
    bytesMax: Math.min(queueBytesMax, share),
    freeBytesMin: Math.min(freeBytesMin, share),
    ageMaxMs: queueAgeMaxMs,
  };
  const fatal = onFatal ?? ((error: RaybridgeError) => log.error({ err: error }, 'the intake queue cannot be written'));
  const queue = await openLmdbQueue({
    dir: join(dataDir, 'queue'),
    limits,
    destinations,
    nowNs,
    log,
    telemetry,
    status,
    allowReset: allowQueueReset,
    onFatal: fatal,
  });
  return { queue, letters: queue };
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
