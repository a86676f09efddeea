import { Command } from 'commander';
import type { Config } from '../config/index.ts';
import { RaybridgeError } from '../errors.ts';
import type { Logger } from '../pipeline/component.ts';
import type { Raybridge } from '../raybridge.ts';
import { printBanner } from './banner.ts';
import { type ConfigurationOptions, readConfiguration, withConfigurationOptions } from './configuration.ts';
import { dataDirOf } from '../data-dir.ts';

interface ServeOptions extends ConfigurationOptions {
  readonly dataDir?: string;
  readonly insecureNoAuth?: boolean;
  readonly allowQueueReset?: boolean;
  readonly logLevel?: string;
}

const refused = 1;
const storageUnsafe = 74;

export function serveCommand(): Command {
  return withConfigurationOptions(new Command('serve'))
    .description('run agent, X-Ray API and console (the default command)')
    .option('--data-dir <folder>', 'where queue and store live (RAYBRIDGE_DATA_DIR; ~/.local/share/raybridge)')
    .option('--insecure-no-auth', 'let API and console listen off loopback although nobody has to sign in')
    .option('--allow-queue-reset', 'move an intake queue that cannot be opened aside and start with an empty one')
    .option('--log-level <level>', 'debug, info, warn or error, as JSON lines on stderr (service.telemetry.logs.level)')
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const { config } = await readConfiguration(options);
  if (!config) {
    process.exitCode = refused;
    return;
  }
  const [{ pino }, { createRaybridge }] = await Promise.all([import('pino'), import('../raybridge.ts')]);
  const log = pino({ level: options.logLevel ?? logLevelOf(config) }, pino.destination({ fd: 2, sync: true }));

  const dataDir = dataDirOf(options.dataDir, process.env);
  let raybridge: Raybridge | undefined;
  try {
    raybridge = await createRaybridge({
      config,
      dataDir,
      log,
      insecureNoAuth: options.insecureNoAuth ?? false,
      allowQueueReset: options.allowQueueReset ?? false,
      onFatal: (error) => {
        log.error({ err: error }, 'the intake queue cannot be written safely; stopping');
        process.exit(storageUnsafe);
      },
    });
    stopOnSignals(raybridge);
    reloadOnSignal(raybridge, options, log);
    await raybridge.start();
    process.stdout.write(printBanner(raybridge.status, dataDir));
    await raybridge.storesOpen();
  } catch (error) {
    if (!(error instanceof RaybridgeError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    await raybridge?.shutdown(0);
    process.exit(refused);
  }
}

/** At a terminal the banner says what a person needs; the rest would push it out of sight. */
function logLevelOf({ telemetry }: Config): string {
  const { level } = telemetry.logs;
  return level === 'info' && process.stderr.isTTY ? 'warn' : level;
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
function reloadOnSignal(raybridge: Raybridge, options: ServeOptions, log: Logger): void {
  const reload = async (): Promise<void> => {
    try {
      const { config } = await readConfiguration(options);
      if (!config) throw new RaybridgeError('CONFIG_INVALID', 'the configuration has errors');
      await raybridge.reload(config);
      log.info({}, 'the configuration was read again and runs');
    } catch (error) {
      log.error({ err: error }, 'the new configuration does not run; the old one still does');
    }
  };
  process.on('SIGHUP', () => void reload());
}
