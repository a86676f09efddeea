import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Until when AWS has been read, in milliseconds since 1970; survives the process. */
export interface Checkpoint {
  readMs(): number | undefined;
  write(ms: number): Promise<void>;
}

export async function openCheckpoint(dataDir: string, id: string): Promise<Checkpoint> {
  const path = join(dataDir, `${id.replaceAll(/[^\w.-]/g, '_')}.checkpoint`);
  const text = await readFile(path, 'utf8').catch(() => '');
  let known = /^\d+$/.test(text.trim()) ? Number(text) : undefined;
  return {
    readMs: () => known,
    async write(ms) {
      known = ms;
      // Renamed into place, so that a crash leaves the old one or the new one.
      await writeFile(`${path}.new`, `${ms}\n`, { mode: 0o600 });
      await rename(`${path}.new`, path);
    },
  };
}
