import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { problemLine } from '../../config/index.ts';
import { loadConfiguration } from '../configuration.ts';
import { run } from '../run.ts';
import { applyCommonSettings, type CommonSettings } from './cloudwatch-common.ts';
import { agentPaths } from './cloudwatch-paths.ts';
import { parseGoFlags } from './flags.ts';
import type { Front } from './index.ts';

const containerFolder = '/etc/cwagentconfig';

const flags = [
  { names: ['config'], kind: 'text' },
  { names: ['otelconfig'], kind: 'text' },
  { names: ['envconfig'], kind: 'text' },
  { names: ['pidfile'], kind: 'text' },
  /** Ours: told by the control script. */
  { names: ['mode'], kind: 'text' },
] as const;

/** `amazon-cloudwatch-agent`: what the control script starts, and the entry point of the agent's image. */
export const cloudwatchAgentFront: Front = {
  async run(args) {
    const { values, problem } = parseGoFlags(args, flags);
    if (problem !== undefined) {
      process.stderr.write(`E! ${problem}\n`);
      process.exitCode = 1;
      return;
    }
    const paths = agentPaths(process.env);
    let common: CommonSettings;
    try {
      common = applyCommonSettings(paths.common, process.env, (text) => void process.stderr.write(`W! ${text}\n`));
    } catch (error) {
      process.stderr.write(`E! ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
      return;
    }
    applyEnvironment(values.get('envconfig')?.at(-1) ?? paths.environment);
    const isContainer = process.env['RUN_IN_CONTAINER'] === 'True';
    const locations = [
      ...storedFiles(isContainer ? containerFolder : paths.collected),
      ...(values.get('otelconfig') ?? []),
    ];
    const fallback = isContainer && process.env['CW_CONFIG_CONTENT'] !== undefined ? ['env:CW_CONFIG_CONTENT'] : [];
    const isOnPremise = /^onPrem/i.test(values.get('mode')?.at(-1) ?? '');
    await run({
      async load() {
        const config = locations.length > 0 ? locations : fallback;
        const agent = { isOnPremise, ...common, ...(isContainer ? {} : { logFile: paths.log }) };
        const loaded = await loadConfiguration({ config, set: [] }, { agent });
        for (const found of loaded.problems) {
          if (found.severity === 'error') process.stderr.write(`E! ${found.original ?? problemLine(found)}\n`);
          if (found.severity === 'warning') process.stderr.write(`W! ${problemLine(found)}\n`);
        }
        return loaded;
      },
      dataDir: paths.data,
      logLevel: levels.get(process.env['CWAGENT_LOG_LEVEL'] ?? ''),
      onStarted() {
        const pidFile = values.get('pidfile')?.at(-1);
        if (pidFile !== undefined) writeFileSync(pidFile, `${process.pid}\n`);
        process.stderr.write('I! Everything is ready. Begin running and processing data.\n');
      },
      onFailed: (message) => void process.stderr.write(`E! ${message}\n`),
    });
  },
};

/** As the control script sets them. */
const levels: ReadonlyMap<string, string> = new Map([
  ['DEBUG', 'debug'],
  ['INFO', 'info'],
  ['WARN', 'warn'],
  ['ERROR', 'error'],
  ['OFF', 'fatal'],
]);

/** Files of a folder, in order; none when there is no folder. */
export function storedFiles(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => !name.endsWith('.tmp') && !name.startsWith('.'))
    .toSorted()
    .map((name) => join(folder, name));
}

/** A flat object of environment variables. */
function applyEnvironment(file: string): void {
  if (!existsSync(file)) return;
  for (const [name, value] of Object.entries(JSON.parse(readFileSync(file, 'utf8')))) process.env[name] = String(value);
}
