import { readdirSync, readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { Loaded, LoadInput } from '../config/index.ts';
import { type Format, formats } from '../config/format-names.ts';

/** The options by which every command finds its configuration. */
export interface ConfigurationOptions {
  readonly config: readonly string[];
  readonly set: readonly string[];
  readonly format?: Format;
  readonly strictConfig?: boolean;
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
    )
    .addOption(
      new Option('--format <program>', 'whose configuration it is, where that is not to be found out').choices(formats),
    )
    .option('--strict-config', 'take warnings for errors');
}

/** What a front knows of the configuration beyond its files. */
export type MoreInput = Partial<Pick<LoadInput, 'daemonFlags' | 'agent'>>;

/** The configuration, after its problems were printed to stderr; `config` is undefined when there is an error among them. */
export async function readConfiguration(options: ConfigurationOptions, { verbose = false } = {}): Promise<Loaded> {
  const loaded = await loadConfiguration(options);
  const text = await printProblemsOf(loaded, { verbose });
  if (text) process.stderr.write(text);
  return loaded;
}

export async function printProblemsOf({ problems, sources }: Loaded, { verbose = false } = {}): Promise<string> {
  const { printProblems } = await import('../config/index.ts');
  return printProblems(problems, sources, { verbose });
}

/** The same without a word. */
export async function loadConfiguration(
  { config, set, format, strictConfig = false }: ConfigurationOptions,
  more: MoreInput = {},
): Promise<Loaded> {
  // Loaded when asked for: commands that need no configuration start in half the time.
  const [{ components }, { loadConfig }] = await Promise.all([
    import('../components.ts'),
    import('../config/index.ts'),
  ]);
  const loaded = await loadConfig({
    ...more,
    locations: config,
    sets: set,
    read: async (path) => readFileSync(path, 'utf8'),
    list: async (folder) => readdirSync(folder),
    env: new Map(Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
    registry: components,
    format,
  });
  const isRefused = strictConfig && loaded.problems.some(({ severity }) => severity === 'warning');
  return isRefused ? { ...loaded, config: undefined } : loaded;
}

/** For an option that may be given several times. */
export function collect(value: string, all: readonly string[]): readonly string[] {
  return [...all, value];
}
