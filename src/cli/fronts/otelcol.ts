import { problemLine } from '../../config/index.ts';
import { dataDirOfFront } from '../../data-dir.ts';
import { version } from '../../version.ts';
import { loadConfiguration } from '../configuration.ts';
import { printComponents } from '../components.ts';
import { run } from '../run.ts';
import { parseGoFlags } from './flags.ts';
import type { Front } from './index.ts';

const flags = [
  { names: ['config'], kind: 'text' },
  { names: ['set'], kind: 'text' },
  { names: ['feature-gates'], kind: 'text' },
  { names: ['version', 'v'], kind: 'switch' },
  { names: ['help', 'h'], kind: 'switch' },
] as const;

const usage = `Usage:
  otelcol [flags]
  otelcol [command]

Available Commands:
  components    Outputs available components in this collector distribution
  print-config  Prints the configuration that would run
  validate      Validates the config without running the collector

Flags:
      --config locations        Locations to the config file(s), one for each flag
      --feature-gates flags     Feature gates, such as +a,-b; what they come to here is said at start
  -h, --help                    help for otelcol
      --set func                Set arbitrary component config property, such as --set=processors.batch.timeout=2s
  -v, --version                 version for otelcol
`;

const failed = 1;

/** `otelcol`, and ADOT's `awscollector`: the OpenTelemetry Collector. */
export const otelcolFront: Front = {
  async run(args) {
    const command = ['validate', 'components', 'print-config', 'print-initial-config'].find((name) => name === args[0]);
    const { values, problem, rest } = parseGoFlags(command === undefined ? args : args.slice(1), flags);
    const [unexpected] = rest;
    if (problem !== undefined || unexpected !== undefined) {
      return fail(problem ?? `unknown command ${JSON.stringify(unexpected)} for "otelcol"`, usage);
    }
    if (values.has('help')) return void process.stdout.write(usage);
    if (values.has('version')) return void process.stdout.write(`otelcol version ${version} (raybridge)\n`);
    if (command === 'components') return void process.stdout.write(await printComponents());

    const options = locationsOf(values);
    if (options.config.length === 0) return fail('at least one config flag must be provided');
    const load = async () => {
      const loaded = await loadConfiguration(options, { featureGates: values.get('feature-gates') });
      for (const found of loaded.problems) {
        const line = problemLine(found);
        if (found.severity === 'error')
          process.stderr.write(`Error: ${found.original === undefined ? line : `${line} (${found.original})`}\n`);
        if (found.severity === 'warning') process.stderr.write(`warn\t${line}\n`);
      }
      return loaded;
    };
    if (command === 'validate' || command !== undefined) {
      const { config, tree } = await load();
      const { printConfig } = await import('../../config/index.ts');
      if (!config) process.exitCode = failed;
      else if (command !== 'validate' && tree) process.stdout.write(printConfig(tree));
      return;
    }
    await run({
      load,
      dataDir: dataDirOfFront('otelcol', process.env),
      onStarted: () => void process.stderr.write('info\tEverything is ready. Begin running and processing data.\n'),
      onFailed: (message) => void process.stderr.write(`Error: ${message}\n`),
    });
  },
};

/** ADOT: a variable that is there, even empty, is the whole configuration. */
function locationsOf(values: ReadonlyMap<string, readonly string[]>): {
  readonly config: readonly string[];
  readonly set: readonly string[];
} {
  const given = { config: values.get('config') ?? [], set: values.get('set') ?? [] };
  if (process.env['AOT_CONFIG_CONTENT'] === undefined) return given;
  if (given.config.length + given.set.length > 0) {
    process.stderr.write('warn\tAOT_CONFIG_CONTENT is set: --config and --set are ignored\n');
  }
  return { config: ['env:AOT_CONFIG_CONTENT'], set: [] };
}

function fail(message: string, more = ''): void {
  process.stderr.write(`Error: ${message}\n${more}`);
  process.exitCode = failed;
}
