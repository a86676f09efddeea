import { Argument, Command } from 'commander';
import { dataDirOf } from '../data-dir.ts';
import { printBanner } from './banner.ts';
import { type ConfigurationOptions, readConfiguration, withConfigurationOptions } from './configuration.ts';
import { run } from './run.ts';

interface ServeOptions extends ConfigurationOptions {
  readonly dataDir?: string;
  readonly insecureNoAuth?: boolean;
  readonly allowQueueReset?: boolean;
  readonly logLevel?: string;
}

export function serveCommand(): Command {
  return withConfigurationOptions(new Command('serve'))
    .description('run agent, X-Ray API and console (the default command)')
    .addArgument(new Argument('[file...]', 'configuration files, as after --config'))
    .option('--data-dir <folder>', 'where queue and store live (RAYBRIDGE_DATA_DIR; ~/.local/share/raybridge)')
    .option('--insecure-no-auth', 'let API and console listen off loopback although nobody has to sign in')
    .option('--allow-queue-reset', 'move an intake queue that cannot be opened aside and start with an empty one')
    .option('--log-level <level>', 'debug, info, warn or error, as JSON lines on stderr (service.telemetry.logs.level)')
    .action(serve);
}

async function serve(files: readonly string[], options: ServeOptions): Promise<void> {
  const dataDir = dataDirOf(options.dataDir, process.env);
  await run({
    load: () => readConfiguration({ ...options, config: [...files, ...options.config] }),
    dataDir,
    logLevel: options.logLevel,
    insecureNoAuth: options.insecureNoAuth ?? false,
    allowQueueReset: options.allowQueueReset ?? false,
    onStarted: (status, loaded) => void process.stdout.write(printBanner(status, loaded, dataDir)),
    onFailed: (message) => void process.stderr.write(`error: ${message}\n`),
  });
}
