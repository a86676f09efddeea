import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** A file of the console, in memory; a request path is looked up, never joined to a folder. */
export interface Page {
  readonly type: string;
  readonly body: Buffer;
  readonly gzip: Buffer;
  readonly etag: string;
  readonly cacheControl: string;
}

const types: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.ico', 'image/x-icon'],
  ['.woff2', 'font/woff2'],
]);

/** dist/console, beside dist/src/extensions/console where this file is when compiled. */
export const builtConsole = fileURLToPath(new URL('../../../console/', import.meta.url));

/** All files of a folder by request path. Empty when there is no such folder, because the console was not built. */
export async function readPages(folder: string): Promise<ReadonlyMap<string, Page>> {
  const names = await namesIn(folder);
  const pages = new Map<string, Page>();
  for (const name of names) {
    const type = types.get(extname(name));
    if (type) pages.set(`/${name.split(sep).join('/')}`, await readPage(folder, { name, type }));
  }
  return pages;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder, { recursive: true });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

async function readPage(
  folder: string,
  { name, type }: { readonly name: string; readonly type: string },
): Promise<Page> {
  const body = await readFile(join(folder, name));
  return {
    type,
    body,
    gzip: gzipSync(body),
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    // Names under assets/ hold a hash of their content.
    cacheControl: name.startsWith('assets') ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
}
