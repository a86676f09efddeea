import { Command } from 'commander';
import { type ConfigurationOptions, readConfiguration, withConfigurationOptions } from './configuration.ts';

export function printConfigCommand(): Command {
  return withConfigurationOptions(new Command('print-config'))
    .description(
      'print the configuration that would run as the Collector would write it: translated, merged and expanded, with secrets masked',
    )
    .argument('[file...]', 'configuration files, as after --config')
    .action(async (files: readonly string[], options: ConfigurationOptions) => {
      const { config, tree } = await readConfiguration({ ...options, config: [...files, ...options.config] });
      const { printConfig } = await import('../config/index.ts');
      if (config && tree) process.stdout.write(printConfig(tree));
      else process.exitCode = 1;
    });
}
