import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DestinationStream } from 'pino';
import type { Config, Loaded } from '../config/index.ts';
import { RaybridgeError } from '../errors.ts';
import type { Logger } from '../pipeline/component.ts';
import type { Raybridge } from '../raybridge.ts';
import type { Status } from '../pipeline/status.ts';
import { summaryOf } from './banner.ts';

/** How a Raybridge of this process begins and ends, whatever name it was started under. */
export interface Run {
  /** Reads the configuration, at start and at SIGHUP; its problems have been told. */
  load(): Promise<Loaded>;
  readonly dataDir: string;
  readonly logLevel?: string | undefined;
  /** In place of stderr or the configured files. */
  readonly logTo?: DestinationStream;
  readonly insecureNoAuth?: boolean;
  readonly allowQueueReset?: boolean;
  /** All listeners are open. */
  onStarted(status: Status, loaded: Loaded): void | Promise<void>;
  /** The start failed. */
  onFailed(message: string): void;
}

export const refused = 1;
const storageUnsafe = 74;

export async function run(setup: Run): Promise<void> {
  const loaded = await setup.load();
  if (!loaded.config) {
    process.exitCode = refused;
    return;
  }
  const [{ pino }, { createRaybridge }] = await Promise.all([import('pino'), import('../raybridge.ts')]);
  const level = setup.logLevel ?? logLevelOf(loaded.config);
  const log = pino({ level }, setup.logTo ?? (await logDestination(loaded.config)));
  log.info(summaryOf(loaded), 'the configuration was read');
  let raybridge: Raybridge | undefined;
  try {
    raybridge = await createRaybridge({
      config: loaded.config,
      dataDir: setup.dataDir,
      log,
      insecureNoAuth: setup.insecureNoAuth ?? false,
      allowQueueReset: setup.allowQueueReset ?? false,
      onFatal: (error) => {
        log.error({ err: error }, 'the intake queue cannot be written safely; stopping');
        process.exit(storageUnsafe);
      },
    });
    stopOnSignals(raybridge);
    reloadOnSignal(raybridge, setup, log);
    await raybridge.start();
    await setup.onStarted(raybridge.status, loaded);
    await raybridge.storesOpen();
  } catch (error) {
    if (!(error instanceof RaybridgeError)) throw error;
    setup.onFailed(error.message);
    await raybridge?.shutdown(0);
    process.exit(refused);
  }
}

/** At a terminal the banner says what a person needs; the rest would push it out of sight. */
function logLevelOf({ telemetry }: Config): string {
  const { level } = telemetry.logs;
  return level === 'info' && process.stderr.isTTY ? 'warn' : level;
}

/** The first of `output_paths`: stderr, stdout or a file, which is rotated at 50 MB. */
async function logDestination({ telemetry }: Config): Promise<DestinationStream> {
  const [path = 'stderr'] = telemetry.logs.output_paths;
  if (path === 'stderr' || path === 'stdout') {
    const { pino } = await import('pino');
    return pino.destination({ fd: path === 'stdout' ? 1 : 2, sync: true });
  }
  const { openLogFile } = await import('./log-file.ts');
  mkdirSync(dirname(path), { recursive: true });
  return openLogFile(path);
}

/** The first SIGTERM or SIGINT drains and exits with 0; a second one exits at once. */
function stopOnSignals(raybridge: Raybridge): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(refused);
    stopping = true;
    void raybridge.shutdown().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** SIGHUP reads the configuration again; one that is refused, or does not start, leaves the old one running. */
function reloadOnSignal(raybridge: Raybridge, { load }: Run, log: Logger): void {
  const reload = async (): Promise<void> => {
    try {
      const { config } = await load();
      if (!config) throw new RaybridgeError('CONFIG_INVALID', 'the configuration has errors');
      await raybridge.reload(config);
      log.info({}, 'the configuration was read again and runs');
    } catch (error) {
      log.error({ err: error }, 'the new configuration does not run; the old one still does');
    }
  };
  process.on('SIGHUP', () => void reload());
}
