// `npm run fuzz [-- NAME…] [--runs N] [--seed N] [--seconds N]`: the fuzz tests and the property tests of the
// conversion, a million cases for each property, or those whose file a NAME is part of. The seed is printed, and
// repeats a run. `npm run fuzz -- pr` is what every change must pass: fewer cases, about twelve minutes on two cores.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, install, root } from './build.mjs';

/** Cases of each property in `pr`; where a file has two, the share of each. */
const gateCases = {
  'otlp-proto': 1_000_000,
  'otlp-json': 150_000,
  segments: 150_000,
  roundtrip: 50_000,
  sigv4: 100_000,
};
/** Of each property in `pr`: a bound for machines that are too slow for all cases, of which it then says how many there were. */
const gateSeconds = 900;
const usualCases = 1_000_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string' }, seed: { type: 'string' }, seconds: { type: 'string' } },
});
const isGate = positionals[0] === 'pr';
const names = isGate ? positionals.slice(1) : positionals;
const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 31));
const seconds = values.seconds ?? (isGate ? String(gateSeconds) : undefined);

install();
await build();

const files = [
  ...testsIn('dist/test/fuzz'),
  ...(isGate ? [] : ['dist/src/convert', 'dist/src/transcode'].flatMap(testsIn)),
].filter((file) => !file.includes('bad-input') && (names.length === 0 || names.some((name) => file.includes(name))));
if (files.length === 0) {
  console.error(`No fuzz test matches ${names.join(' ')}`);
  process.exit(2);
}

console.log(`Seed ${seed}`);
await Promise.all([runRest(), runRest()]);

/** Runs what is left of the list, until nothing is. */
async function runRest() {
  for (let file = files.shift(); file !== undefined; file = files.shift()) {
    const cases = values.runs ?? String((isGate && gateCases[basename(file, '.test.js')]) || usualCases);
    console.log(`${file}: ${cases} cases for each property`);
    if ((await run(file, cases)) !== 0) process.exitCode = 1;
  }
}

function run(file, cases) {
  const env = { ...process.env, RAYBRIDGE_ROOT: root, RAYBRIDGE_FUZZ_RUNS: cases, RAYBRIDGE_FUZZ_SEED: seed };
  if (seconds !== undefined) env.RAYBRIDGE_FUZZ_SECONDS = seconds;
  const child = spawn(process.execPath, ['--enable-source-maps', file], { cwd: root, stdio: 'inherit', env });
  return new Promise((resolve) => child.on('close', resolve));
}

function testsIn(folder) {
  const found = readdirSync(join(root, folder)).filter((file) => file.endsWith('.test.js'));
  return found.map((file) => join(folder, file)).toSorted();
}
