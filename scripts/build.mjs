// Builds dist/ from src, test, bench and console, when something is missing or older than its sources.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Installs from the lockfile when node_modules does not match it. */
export function install() {
  const stamp = join(root, 'node_modules', '.raybridge-installed');
  const wanted = hash([join(root, 'package-lock.json')]);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  // npm would empty the folder that a link leads to, and with it whoever else uses it.
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    console.error('node_modules is a link to packages of another lockfile: install where it leads, or remove it');
    process.exit(1);
  }
  console.error('Installing packages (npm ci) …');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, wanted);
}

/** Compiles what changed since the last build. */
export async function build() {
  await buildPart('program', ['src', 'test', 'bench', 'scripts', 'tsconfig.json', 'package.json'], async () => {
    compile('tsconfig.json');
    const { bundleProgram } = await import('./bundle-program.mjs');
    await bundleProgram(root);
  });
  await buildPart('console', ['console', 'src/model', 'src/query', 'src/sampling'], () => {
    compile('console/tsconfig.test.json');
    run('npm', ['run', '--silent', 'build', '--workspace', 'console']);
  });
}

function compile(project) {
  run('node', [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', project]);
}

async function buildPart(name, sources, make) {
  const stamp = join(root, 'dist', `.built-${name}`);
  const wanted = hash(sources.flatMap((source) => files(join(root, source))));
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error(`Building the ${name} …`);
  await make();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

function files(path) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.name !== 'node_modules' && entry.name !== 'dist')
    .flatMap((entry) => files(join(path, entry.name)));
}

function hash(paths) {
  const digest = createHash('sha256');
  for (const path of paths.toSorted()) digest.update(path.slice(root.length)).update(readFileSync(path));
  return digest.digest('hex');
}

function run(command, words) {
  const { status, error } = spawnSync(command, words, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error) throw error;
  if (status !== 0) process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  install();
  await build();
}
