import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { RaybridgeError } from '../../errors.ts';
import type { Context } from '../../pipeline/component.ts';

/**
 * A connection that comes back: opens the server, prepares the database, and does both again, with
 * backoff, whenever the server has ended.
 */
export interface Connection {
  /** False while the server is being started or the database prepared. */
  readonly ready: boolean;
  /**
   * Begins, and waits for a moment only, so that the program's start does not hang on the engine's.
   * @throws RaybridgeError what the first attempt met in that moment, if trying again is no use.
   */
  start(): Promise<void>;
  /**
   * The client of the present server; waits a moment for it if there is none.
   * @throws RaybridgeError STORE_UNAVAILABLE.
   */
  client(): Promise<ClickHouseClient>;
  /** Closes the client, which cancels its queries, and ends a server of ours. */
  shutdown(): Promise<void>;
}

/** How to reach a server. */
export interface Access {
  readonly url: string;
  /** The path that answers queries, when it is not `/`. */
  readonly pathname?: string;
  readonly username: string;
  readonly password: string;
}

export interface Server {
  readonly access: Access;
  /** Resolves with the reason when the server is no more; pending for ever if we do not run it. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

/** Resolves when the server answers. @throws RaybridgeError. */
export type OpenServer = (signal: AbortSignal) => Promise<Server>;

interface ConnectionParts {
  readonly open: OpenServer;
  readonly database: string;
  /** Makes the database fit for use; runs after each opening. */
  readonly prepare: (client: ClickHouseClient) => Promise<void>;
  readonly context: Context;
}

/** An engine is ready after 0.2 s, 0.3 s the first time; it takes longer on a busy machine or after a crash. */
const startWaitMs = 3000;
const clientWaitMs = 2000;
const requestTimeoutMs = 60_000;
const connectionsMax = 8;
const backoffMinMs = 250;
const backoffMaxMs = 30_000;
/** A server that lived this long was healthy: the backoff begins anew. */
const healthyMs = 60_000;

export function createConnection({ open, database, prepare, context }: ConnectionParts): Connection {
  /** `ready` with the client, `trouble` with an error: each outcome of an attempt. */
  const outcomes = new EventEmitter();
  const stopping = new AbortController();
  const stopped = once(stopping.signal, 'abort');
  let present: ClickHouseClient | undefined;
  let running: Promise<void> | undefined;
  let trouble = 'it is being started';

  async function run(): Promise<void> {
    let backoffMs = backoffMinMs;
    while (!stopping.signal.aborted) {
      const openedAtMs = performance.now();
      await serve().catch(report);
      if (performance.now() - openedAtMs > healthyMs) backoffMs = backoffMinMs;
      await delay(backoffMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      backoffMs = Math.min(backoffMs * 2, backoffMaxMs);
    }
  }

  /** One life of a server; throws the reason of its end unless we end it. */
  async function serve(): Promise<void> {
    const server = await open(stopping.signal);
    let client: ClickHouseClient | undefined;
    try {
      client = await openDatabase(server.access, database);
      await prepare(client);
      announce(client);
      const reason = await Promise.race([server.ended, stopped]);
      if (typeof reason === 'string') throw lost(reason);
    } finally {
      present = undefined;
      await client?.close();
      await server.stop();
    }
  }

  function announce(client: ClickHouseClient): void {
    present = client;
    context.status.fault(context.id, undefined);
    context.log.info({ database }, 'the store is ready');
    outcomes.emit('ready', client);
  }

  function lost(reason: string): RaybridgeError {
    context.telemetry.count('raybridge_engine_restarts_total', {});
    return new RaybridgeError('STORE_UNAVAILABLE', `The embedded engine ended (${reason}) and is being restarted.`);
  }

  function report(error: unknown): void {
    if (stopping.signal.aborted) return;
    trouble = error instanceof Error ? error.message : String(error);
    context.status.fault(context.id, trouble);
    context.log.error({ err: error }, 'the store is not available');
    outcomes.emit('trouble', error);
  }

  return {
    get ready() {
      return present !== undefined;
    },
    async start() {
      const first = Promise.race([once(outcomes, 'ready'), once(outcomes, 'trouble')]);
      running = run();
      const [outcome] = await Promise.race([first, delay(startWaitMs, [undefined], { ref: false })]);
      if (outcome instanceof RaybridgeError && !outcome.retryable) throw outcome;
    },
    async client() {
      if (present) return present;
      if (stopping.signal.aborted) throw new RaybridgeError('STORE_UNAVAILABLE', 'The store is shut down.');
      await once(outcomes, 'ready', { signal: AbortSignal.timeout(clientWaitMs) }).catch(() => undefined);
      if (present) return present;
      throw new RaybridgeError('STORE_UNAVAILABLE', `The store does not answer: ${trouble}`);
    },
    async shutdown() {
      stopping.abort();
      await running;
    },
  };
}

/** A client of the database, which is made if it is not there. */
async function openDatabase(access: Access, database: string): Promise<ClickHouseClient> {
  const client = createAccessClient(access, database);
  try {
    await client.command({ query: 'SELECT 1' });
  } catch (error) {
    if (!(error instanceof ClickHouseError) || error.type !== 'UNKNOWN_DATABASE') {
      await client.close();
      throw error;
    }
    await createDatabase(access, database);
  }
  return client;
}

async function createDatabase(access: Access, database: string): Promise<void> {
  const client = createAccessClient(access, undefined);
  try {
    await client.command({
      query: 'CREATE DATABASE IF NOT EXISTS {database:Identifier}',
      query_params: { database },
    });
  } finally {
    await client.close();
  }
}

export function createAccessClient(access: Access, database: string | undefined): ClickHouseClient {
  return createClient({
    ...access,
    ...(database === undefined ? {} : { database }),
    application: 'raybridge',
    request_timeout: requestTimeoutMs,
    max_open_connections: connectionsMax,
    log: { level: ClickHouseLogLevel.OFF },
  });
}
