import { readFileSync } from 'node:fs';
import { chmod, mkdir, open, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { RaybridgeError } from './errors.ts';

/** `--data-dir`, else RAYBRIDGE_DATA_DIR, else $XDG_DATA_HOME/raybridge, else ~/.local/share/raybridge. */
export function dataDirOf(option: string | undefined, env: NodeJS.ProcessEnv): string {
  const chosen = option ?? env['RAYBRIDGE_DATA_DIR'];
  if (chosen) return resolve(chosen);
  return join(env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'raybridge');
}

/** The same for a program that stands in for another; each has its own, since several may run beside each other. */
export function dataDirOfFront(name: string, env: NodeJS.ProcessEnv): string {
  if (env['RAYBRIDGE_DATA_DIR']) return resolve(env['RAYBRIDGE_DATA_DIR']);
  // Services run as root without a home.
  return process.getuid?.() === 0 ? join('/var/lib/raybridge', name) : join(dataDirOf(undefined, env), name);
}

/**
 * Makes the data directory if it is missing and claims it for this process, because two processes
 * on one queue would lose each other's marks. The claim is a file with the process id and its start
 * time; one that a killed process left behind is taken over. Returns the release.
 * @throws RaybridgeError DATA_DIR_IN_USE; or the system's error when the directory cannot be written.
 */
export async function claimDataDir(dataDir: string): Promise<() => Promise<void>> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, 'process.json');
  for (;;) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(JSON.stringify({ pid: process.pid, startedAt: startTimeOf(process.pid) }));
      await file.close();
      await chmod(dataDir, 0o700);
      return () => rm(path, { force: true });
    } catch (error) {
      if (!isSystemError(error, 'EEXIST')) throw error;
    }
    const holder = readHolder(await readFile(path, 'utf8').catch(() => ''));
    if (holder && isAlive(holder)) {
      throw new RaybridgeError(
        'DATA_DIR_IN_USE',
        `${dataDir}: process ${holder.pid} uses this data directory; stop it or choose another with --data-dir`,
      );
    }
    await rm(path, { force: true });
  }
}

interface Holder {
  readonly pid: number;
  readonly startedAt: string | undefined;
}

function readHolder(text: string): Holder | undefined {
  try {
    const { pid, startedAt } = JSON.parse(text);
    return Number.isInteger(pid) ? { pid, startedAt } : undefined;
  } catch {
    // A claim that was being written when its process died claims nothing.
    return undefined;
  }
}

/** The same process, not a later one that was given the same number. */
function isAlive({ pid, startedAt }: Holder): boolean {
  if (pid === process.pid) return startTimeOf(pid) === startedAt;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return isSystemError(error, 'EPERM');
  }
  return startTimeOf(pid) === startedAt;
}

/** Linux: ticks since boot at which the process began. Elsewhere undefined, and the number alone must do. */
function startTimeOf(pid: number): string | undefined {
  try {
    // The second field, the name, may hold anything; the ones after its last parenthesis do not.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19];
  } catch {
    return undefined;
  }
}

function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
