import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import type { Loaded } from '../config/index.ts';

/** The options by which every command finds its configuration. */
export interface ConfigurationOptions {
  readonly config: readonly string[];
  readonly set: readonly string[];
}

export function withConfigurationOptions(command: Command): Command {
  return command
    .option(
      '--config <location>',
      'configuration to read: FILE, file:, env: or yaml: (repeatable, later wins)',
      collect,
      [],
    )
    .option(
      '--set <path=value>',
      'one value on top of it, such as receivers.otlp.protocols.http.endpoint=127.0.0.1:14318 (repeatable)',
      collect,
      [],
    );
}

/** The configuration, after its problems were printed to stderr; `config` is undefined when there is an error among them. */
export async function readConfiguration(options: ConfigurationOptions, { verbose = false } = {}): Promise<Loaded> {
  // Loaded when asked for: commands that need no configuration start in half the time.
  const [{ components }, { loadConfig, printProblems }] = await Promise.all([
    import('../components.ts'),
    import('../config/index.ts'),
  ]);
  const loaded = await loadConfig({
    locations: options.config,
    sets: options.set,
    read: async (path) => readFileSync(path, 'utf8'),
    env: new Map(Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
    registry: components,
  });
  const text = printProblems(loaded.problems, loaded.sources, { verbose });
  if (text) process.stderr.write(text);
  return loaded;
}

/** For an option that may be given several times. */
export function collect(value: string, all: readonly string[]): readonly string[] {
  return [...all, value];
}
