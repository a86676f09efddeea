// `npm test`: installs and builds what is missing, then runs every test, or those named on the command line.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build, install, root } from './build.mjs';

install();
await build();

const named = process.argv.slice(2);
const all = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js') && !file.includes('node_modules'))
  .map((file) => join('dist', file))
  .filter((file) => named.length === 0 || named.some((word) => file.includes(word)))
  .toSorted();
/** What takes longest begins first, so that the end of the run does not wait for one file. */
const longest = [
  'convert/roundtrip',
  'interop/clients',
  'e2e/console',
  'chaos/',
  'clickhouse/',
  'fuzz/sigv4',
  'transcode/',
];
const rank = (file) => {
  const place = longest.findIndex((part) => file.includes(part));
  return place === -1 ? longest.length : place;
};
const files = all.toSorted((a, b) => rank(a) - rank(b));
if (all.length === 0) {
  console.error(`No test matches ${named.join(' ')}`);
  process.exit(1);
}

/** A test that neither ends nor fails must not hold up a machine for hours. */
const wholeRunMsMax = 15 * 60 * 1000;
const { status } = spawnSync(
  process.execPath,
  [
    '--enable-source-maps',
    '--test',
    '--test-timeout=240000',
    '--test-concurrency=3',
    ...files.map((file) => relative(root, join(root, file))),
  ],
  { cwd: root, stdio: 'inherit', timeout: wholeRunMsMax, env: { ...process.env, RAYBRIDGE_ROOT: root } },
);
process.exit(status ?? 1);
