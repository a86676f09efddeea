import { Command } from 'commander';
import { type ConfigurationOptions, readConfiguration, withConfigurationOptions } from './configuration.ts';

interface ValidateOptions extends ConfigurationOptions {
  readonly verbose?: boolean;
}

export function validateCommand(): Command {
  return withConfigurationOptions(new Command('validate'))
    .description('check a configuration without starting anything; exit code 1 when it is refused')
    .option('--verbose', 'also list what is accepted without effect, and why')
    .argument('[file...]', 'configuration files, as after --config')
    .action(async (files: readonly string[], { verbose = false, ...options }: ValidateOptions) => {
      const all = { ...options, config: [...files, ...options.config] };
      const { config } = await readConfiguration(all, { verbose });
      if (config) process.stdout.write('The configuration is valid.\n');
      else process.exitCode = 1;
    });
}
