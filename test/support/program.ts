import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { eventually } from './eventually.ts';
import { rootPath } from './root.ts';

/** `raybridge WORDS` as a process of its own, whose words and log a test can wait for. */
export interface Program {
  readonly child: ChildProcess;
  /** Lines of its log so far, as pino wrote them; other lines of stderr are not in it. */
  log(): readonly LogLine[];
  /** Everything on stdout so far. */
  output(): string;
  /** Everything on stderr so far. */
  errors(): string;
  /** Waits for a line of the log, among those after the first `after`. */
  logged(what: string, matches: (line: LogLine) => boolean, after?: number): Promise<LogLine>;
  /** Sends the signal and waits for the end; the exit code, or null after a signal that kills. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Waits for its end; the exit code, or null after a signal that kills. */
  ended(): Promise<number | null>;
}

export interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

export function startProgram(
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
  /** A program and its words in front of ours, such as strace. */
  under: readonly string[] = [],
): Program {
  const [file = '', ...before] = [...under, process.execPath];
  const child = spawn(file, [...before, rootPath('dist', 'program', 'raybridge.js'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (errors += text));
  const log = (): readonly LogLine[] =>
    errors
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));

  const ended = async (): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return child.exitCode;
  };

  return {
    child,
    log,
    output: () => output,
    errors: () => errors,
    logged: (what, matches, after = 0) =>
      eventually(what, async () => {
        const found = log().slice(after).find(matches);
        if (!found && child.exitCode !== null) throw new Error(`raybridge ended with ${child.exitCode}:\n${errors}`);
        return found;
      }),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return await ended();
    },
    ended,
  };
}

/** Runs `raybridge WORDS` to its end. */
export async function runProgram(
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
  /** Under another name. */
  main = rootPath('dist', 'program', 'raybridge.js'),
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [main, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const [stdout, stderr, [code]] = await Promise.all([buffer(child.stdout), buffer(child.stderr), once(child, 'exit')]);
  return { code, stdout: stdout.toString(), stderr: stderr.toString() };
}
