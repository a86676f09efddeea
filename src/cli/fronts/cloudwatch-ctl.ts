import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { problemLine } from '../../config/index.ts';
import { version } from '../../version.ts';
import { loadConfiguration } from '../configuration.ts';
import { storedFiles } from './cloudwatch-agent.ts';
import { agentPaths } from './cloudwatch-paths.ts';
import { parseGoFlags } from './flags.ts';
import type { Front } from './index.ts';

const flags = [
  { names: ['a'], kind: 'text' },
  { names: ['m'], kind: 'text' },
  { names: ['c'], kind: 'text' },
  { names: ['s'], kind: 'switch' },
  { names: ['d'], kind: 'switch' },
  { names: ['l'], kind: 'text' },
  { names: ['e'], kind: 'text' },
  { names: ['h', 'help'], kind: 'switch' },
] as const;

const usage = `usage:  amazon-cloudwatch-agent-ctl -a
        stop|start|status|status-with-workloads|fetch-config|append-config|remove-config|set-log-level|set-env
        [-m ec2|onPremise|onPrem|auto]
        [-c default|all|file:<file-path>]
        [-s]
        [-l INFO|DEBUG|WARN|ERROR|OFF]
        [-e KEY=VALUE]
`;

type Paths = ReturnType<typeof agentPaths>;

interface Call {
  readonly paths: Paths;
  readonly mode: string;
  readonly source: string;
  readonly restarts: boolean;
  readonly level: string;
  readonly pair: string;
}

/** `amazon-cloudwatch-agent-ctl` (specification: configuration 3.8). */
export const cloudwatchCtlFront: Front = {
  async run(args) {
    const { values, problem, rest } = parseGoFlags(args, flags);
    const last = (name: string, otherwise = ''): string => values.get(name)?.at(-1) ?? otherwise;
    const action = actions.get(last('a', 'status'));
    if (problem !== undefined || rest.length > 0 || !action || values.has('h')) {
      process.stderr.write(problem === undefined ? usage : `${problem}\n${usage}`);
      process.exitCode = values.has('h') ? 0 : 1;
      return;
    }
    const paths = agentPaths(process.env);
    const isDone = await action({
      paths,
      mode: last('m', 'ec2'),
      source: last('c'),
      restarts: values.has('s'),
      level: last('l'),
      pair: last('e'),
    });
    if (!isDone) process.exitCode = 1;
  },
};

type Action = (call: Call) => Promise<boolean>;

const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['status', async ({ paths }) => say(statusText(paths))],
  ['status-with-workloads', async ({ paths }) => say(statusText(paths, []))],
  ['fetch-config', (call) => store(call, { replaces: true })],
  ['append-config', (call) => store(call, { replaces: false })],
  ['remove-config', remove],
  ['start', start],
  ['stop', ({ paths }) => stop(paths)],
  ['set-log-level', setLogLevel],
  ['set-env', setVariable],
  ...['prep-restart', 'cond-restart', 'preun'].map((name): [string, Action] => [name, async () => true]),
]);

function say(text: string): boolean {
  process.stdout.write(`${text}\n`);
  return true;
}

function statusText(paths: Paths, workloads?: readonly string[]): string {
  const pid = runningPid(paths);
  const startedAt =
    pid === undefined
      ? ''
      : statSync(paths.pidFile)
          .mtime.toISOString()
          .replace(/\.\d+Z$/, '+00:00');
  const status = {
    status: pid === undefined ? 'stopped' : 'running',
    starttime: startedAt,
    configstatus: storedFiles(paths.collected).length > 0 ? 'configured' : 'not configured',
    version: `${version} (raybridge)`,
    ...(workloads ? { workloads } : {}),
  };
  return JSON.stringify(status, undefined, 2);
}

function runningPid({ pidFile }: Paths): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8'));
    process.kill(pid, 0);
    return pid;
  } catch {
    return undefined;
  }
}

/** A configuration that listens for what SDKs send, as the agent's `default:otel` does. */
const defaultConfig = '{"traces": {"traces_collected": {"xray": {}, "otlp": {}}}}\n';

async function store(call: Call, { replaces }: { readonly replaces: boolean }): Promise<boolean> {
  const { paths, source, restarts } = call;
  say('****** processing amazon-cloudwatch-agent ******');
  mkdirSync(paths.collected, { recursive: true });
  const name = source.replaceAll(/[:\s/]/g, '_');
  const [, path] = /^file:(.+)$/s.exec(source) ?? [];
  const target = join(paths.collected, path === undefined ? name : `file_${basename(path)}`);
  if (path !== undefined) {
    if (!existsSync(path)) return complain(`the file ${path} is not there`);
    copyFileSync(path, `${target}.tmp`);
  } else if (/^default(?::|$)/.test(source)) writeFileSync(`${target}.tmp`, defaultConfig);
  else if (source.startsWith('ssm:'))
    return complain('parameters of SSM are not read; fetch the parameter and use file:');
  else return complain('expected -c default or -c file:<file-path>');
  say(`Successfully fetched the config and saved in ${target}.tmp`);

  const others = replaces ? [] : storedFiles(paths.collected).filter((file) => file !== target);
  if (!(await validate([...others, `${target}.tmp`], call))) {
    rmSync(`${target}.tmp`);
    return false;
  }
  if (replaces) for (const file of storedFiles(paths.collected)) rmSync(file);
  renameSync(`${target}.tmp`, target);
  if (!restarts) return true;
  await stop(paths);
  return await start(call);
}

function complain(text: string): boolean {
  process.stderr.write(`E! ${text}\n`);
  return false;
}

async function validate(files: readonly string[], { mode }: Call): Promise<boolean> {
  say('Start configuration validation...');
  const agent = { isOnPremise: /^onPrem/i.test(mode) };
  const loaded = await loadConfiguration({ config: files, set: [], format: 'cloudwatch-agent' }, { agent });
  for (const found of loaded.problems) {
    if (found.severity === 'error')
      process.stderr.write(`E! ${found.original ?? ''}${found.original ? '; ' : ''}${problemLine(found)}\n`);
    if (found.severity === 'warning') process.stderr.write(`W! ${problemLine(found)}\n`);
  }
  if (!loaded.config) {
    process.stderr.write('E! Invalid Json input schema.\nConfiguration validation first phase failed\n');
    return false;
  }
  say('I! Valid Json input schema.');
  say('Configuration validation first phase succeeded');
  say('Configuration validation second phase succeeded');
  return say('Configuration validation succeeded');
}

async function remove({ paths, source }: Call): Promise<boolean> {
  const [, path] = /^file:(.+)$/s.exec(source) ?? [];
  const name = path === undefined ? source.replaceAll(/[:\s/]/g, '_') : `file_${basename(path)}`;
  const files = storedFiles(paths.collected).filter((file) => source === 'all' || basename(file) === name);
  if (files.length === 0 && source !== 'all') return complain(`no stored configuration is called ${name}`);
  for (const file of files) rmSync(file);
  return true;
}

const startMsMax = 30_000;

/** Resolves when the agent has opened its listeners. */
async function start(call: Call): Promise<boolean> {
  const { paths, mode } = call;
  if (runningPid(paths) !== undefined) return say('amazon-cloudwatch-agent is already running');
  if (
    storedFiles(paths.collected).length === 0 &&
    !(await store({ ...call, source: 'default', restarts: false }, { replaces: true }))
  ) {
    return false;
  }
  for (const file of [paths.log, paths.pidFile]) mkdirSync(dirname(file), { recursive: true });
  const log = openSync(paths.log, 'a', 0o600);
  const [node = '', main = ''] = process.argv;
  const program = [main, 'amazon-cloudwatch-agent', '--mode', mode, '--pidfile', paths.pidFile];
  const child = spawn(process.execPath || node, program, { detached: true, stdio: ['ignore', log, log] });
  child.unref();
  const endsAt = Date.now() + startMsMax;
  while (Date.now() < endsAt && child.exitCode === null) {
    if (runningPid(paths) === child.pid) return say('amazon-cloudwatch-agent has been started');
    await wait(50);
  }
  return complain(`amazon-cloudwatch-agent did not start; see ${paths.log}`);
}

const stopMsMax = 30_000;

async function stop(paths: Paths): Promise<boolean> {
  const pid = runningPid(paths);
  if (pid === undefined) return say('amazon-cloudwatch-agent has already been stopped');
  process.kill(pid, 'SIGTERM');
  const endsAt = Date.now() + stopMsMax;
  while (runningPid(paths) !== undefined) {
    if (Date.now() > endsAt) return complain(`process ${pid} does not stop`);
    await wait(50);
  }
  rmSync(paths.pidFile, { force: true });
  return say('amazon-cloudwatch-agent has been stopped');
}

async function setLogLevel({ paths, level }: Call): Promise<boolean> {
  if (!/^(?:INFO|DEBUG|WARN|ERROR|OFF)$/.test(level)) return complain('expected -l INFO, DEBUG, WARN, ERROR or OFF');
  return writeVariable(paths, 'CWAGENT_LOG_LEVEL', level);
}

async function setVariable({ paths, pair }: Call): Promise<boolean> {
  const [, name, value = ''] = /^([A-Za-z_]\w*)=(.*)$/s.exec(pair) ?? [];
  return name === undefined ? complain('expected -e KEY=VALUE') : writeVariable(paths, name, value);
}

function writeVariable({ environment }: Paths, name: string, value: string): boolean {
  mkdirSync(dirname(environment), { recursive: true });
  const known = existsSync(environment) ? JSON.parse(readFileSync(environment, 'utf8')) : {};
  writeFileSync(environment, `${JSON.stringify({ ...known, [name]: value }, undefined, 2)}\n`, { mode: 0o600 });
  return true;
}
