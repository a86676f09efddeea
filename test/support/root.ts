import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of a file of the repository, wherever the compiled test stands. */
export function rootPath(...parts: readonly string[]): string {
  return join(process.env['RAYBRIDGE_ROOT'] ?? findRoot(dirname(fileURLToPath(import.meta.url))), ...parts);
}

function findRoot(folder: string): string {
  const manifest = join(folder, 'package.json');
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'raybridge') return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('no package.json of raybridge above this test');
  return findRoot(parent);
}
