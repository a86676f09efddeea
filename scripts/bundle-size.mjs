// `npm run bundle-size`: what the entrances for library users and the console weigh in a browser; exit code 1 above a limit.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, install, root } from './build.mjs';

/** Of convert and codec together, gzipped. */
const gzipBytesMax = 40 * 1024;

install();
await build();
const { bundleEntrances } = await import(pathToFileURL(join(root, 'dist', 'scripts', 'bundle.js')).href);
for (const entrances of [['convert'], ['codec'], ['convert', 'codec']]) {
  const { bytes, gzipBytes } = await bundleEntrances(entrances);
  console.log(`${entrances.join(' + ').padEnd(16)} ${kilobytes(bytes)} minified ${kilobytes(gzipBytes)} gzipped`);
  if (gzipBytes <= gzipBytesMax) continue;
  console.error(`expected at most ${kilobytes(gzipBytesMax).trim()} gzipped`);
  process.exitCode = 1;
}

/** Of the console: what index.html names, which is all that a first look at the traces loads. */
const consoleGzipBytesMax = 180 * 1024;

const folder = join(root, 'dist', 'console');
const index = readFileSync(join(folder, 'index.html'), 'utf8');
const files = [...index.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map(([, file]) =>
  readFileSync(join(folder, file)),
);
const bytes = files.reduce((sum, file) => sum + file.length, 0);
const gzipBytes = files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0);
console.log(`${'console'.padEnd(16)} ${kilobytes(bytes)} minified ${kilobytes(gzipBytes)} gzipped`);
if (files.length === 0 || gzipBytes > consoleGzipBytesMax) {
  console.error(`expected at most ${kilobytes(consoleGzipBytesMax).trim()} gzipped in the files that index.html names`);
  process.exitCode = 1;
}

function kilobytes(bytes) {
  return `${(bytes / 1024).toFixed(1).padStart(6)} KiB`;
}
