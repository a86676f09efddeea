// `npm run bundle-size`: what the entrances for library users weigh in a browser; exit code 1 above the limit.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, install, root } from './build.mjs';

/** Of convert and codec together, gzipped. */
const gzipBytesMax = 40 * 1024;

install();
build();
const { bundleEntrances } = await import(pathToFileURL(join(root, 'dist', 'scripts', 'bundle.js')).href);
for (const entrances of [['convert'], ['codec'], ['convert', 'codec']]) {
  const { bytes, gzipBytes } = await bundleEntrances(entrances);
  console.log(`${entrances.join(' + ').padEnd(16)} ${kilobytes(bytes)} minified ${kilobytes(gzipBytes)} gzipped`);
  if (gzipBytes <= gzipBytesMax) continue;
  console.error(`expected at most ${kilobytes(gzipBytesMax).trim()} gzipped`);
  process.exitCode = 1;
}

function kilobytes(bytes) {
  return `${(bytes / 1024).toFixed(1).padStart(6)} KiB`;
}
