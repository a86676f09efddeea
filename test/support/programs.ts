import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { rootPath } from './root.ts';

/** Programs that are not ours, and the packages that they need. */

/** A program takes this long at most, to be installed or to run. */
const programMsMax = 120_000;
const outputBytesMax = 64 * 1024 * 1024;

/** The first of these programs that runs with these words. */
export function findProgram(names: readonly string[], words: readonly string[] = ['--version']): string | undefined {
  return names.find((name) => {
    try {
      execFileSync(name, words, { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

/** Skips a test for want of a program, or fails it where `.ci/run` says that all of them are there. */
export function lacking(test: TestContext, reason: string): void {
  if (process.env['RAYBRIDGE_REQUIRE_CLIENTS'] !== undefined) throw new Error(reason);
  test.skip(reason);
}

/** What the program printed. Its errors end up in the message when it fails. */
export async function runProgram(
  program: string,
  words: readonly string[],
  { env = {}, cwd }: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, words, {
      env: { ...process.env, ...anyCredentials, ...env },
      cwd,
      timeout: programMsMax,
      maxBuffer: outputBytesMax,
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string };
    throw new Error(`${program} ${words.join(' ')}:\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** What every AWS client wants to be told, and nothing of whoever runs the test. */
const anyCredentials = {
  AWS_ACCESS_KEY_ID: 'any',
  AWS_SECRET_ACCESS_KEY: 'any',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
};

/** Where packages and programs stay from run to run, for this user alone; their folders are named by what is in them. */
const programCache = join(tmpdir(), `raybridge-clients-of-${userInfo().uid}`);

export interface Python {
  /** Runs a program of `test/interop/python`. */
  run(file: string, words: readonly string[], env: NodeJS.ProcessEnv): Promise<string>;
  /** Folder of the packages. */
  readonly packages: string;
}

/** Python with the packages of `test/interop/python/requirements.txt`, from PyPI; a text says what is missing. */
export async function preparePython(): Promise<Python | string> {
  const python = findProgram(['python3'], ['-m', 'pip', '--version']);
  if (!python) return 'python3 with pip is not installed';
  const requirements = rootPath('test', 'interop', 'python', 'requirements.txt');
  const wanted = [await readFile(requirements), execFileSync(python, ['--version'])];
  const packages = join(programCache, `python-${digestOf(wanted)}`);
  try {
    await once(packages, async (folder) => {
      const words = ['--no-deps', '--only-binary=:all:', '--no-compile', '--disable-pip-version-check', '--quiet'];
      await runProgram(python, ['-m', 'pip', 'install', ...words, '--target', folder, '--requirement', requirements]);
    });
  } catch (error) {
    return `the Python packages cannot be installed: ${String(error)}`;
  }
  return {
    packages,
    run: (file, words, env) =>
      runProgram(python, [rootPath('test', 'interop', 'python', file), ...words], {
        env: { ...env, PYTHONPATH: packages },
      }),
  };
}

/** Where the compiled programs of `test/interop/go` are; a text says what is missing. */
export async function prepareGo(): Promise<string | { readonly folder: string }> {
  const go = findProgram(['go', '/usr/local/go/bin/go'], ['version']);
  if (!go) return 'Go is not installed';
  const sources = rootPath('test', 'interop', 'go');
  const files = ['go.sum', join('api', 'main.go'), join('segments', 'main.go')].map((file) => join(sources, file));
  const texts = await Promise.all(files.map((file) => readFile(file)));
  const folder = join(programCache, `go-${digestOf([...texts, execFileSync(go, ['version'])])}`);
  const env = {
    GOCACHE: join(programCache, 'go-build'),
    GOMODCACHE: join(programCache, 'go-modules'),
    GOFLAGS: '-mod=readonly -modcacherw',
    GOTOOLCHAIN: 'local',
  };
  try {
    await once(folder, async (draft) => {
      await runProgram(go, ['build', '-o', draft, './api', './segments'], { env, cwd: sources });
    });
  } catch (error) {
    return `the Go programs cannot be built: ${String(error)}`;
  }
  return { folder };
}

function digestOf(parts: readonly Uint8Array[]): string {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest('hex').slice(0, 16);
}

/** Makes a folder whole or not at all, also when two do so at once. */
async function once(folder: string, make: (folder: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  await mkdir(programCache, { recursive: true, mode: 0o700 });
  const draft = await mkdtemp(`${folder}-draft-`);
  try {
    await make(draft);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}
