import { Command } from 'commander';
import { type ConfigurationOptions, readConfiguration, withConfigurationOptions } from './configuration.ts';

export function printConfigCommand(): Command {
  return withConfigurationOptions(new Command('print-config'))
    .description('print the configuration that would run, merged and expanded, with secrets masked')
    .action(async (options: ConfigurationOptions) => {
      const { config, tree } = await readConfiguration(options);
      const { printConfig } = await import('../config/index.ts');
      if (config && tree) process.stdout.write(printConfig(tree));
      else process.exitCode = 1;
    });
}
