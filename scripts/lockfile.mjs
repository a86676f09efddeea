// Run after `npm install`: completes package-lock.json with the optional packages of other platforms.
// npm leaves out those that its registry does not hold, and `npm ci` then calls the lockfile out of
// date everywhere. Their versions are pinned by the packages that name them; a checksum is added by
// the first npm that sees them.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const packages = lock.packages;

for (const [path, entry] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const known = [`${path}/node_modules/${name}`, `node_modules/${name}`].some((place) => packages[place]);
    const platform = platformOf(name);
    if (known || !platform) continue;
    packages[`node_modules/${name}`] = {
      version,
      ...platform,
      ...(entry.dev ? { dev: true } : {}),
      license: entry.license ?? 'Apache-2.0',
      optional: true,
    };
  }
}

lock.packages = Object.fromEntries(Object.entries(packages).toSorted(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);

/** os, cpu and libc that a package is for, as its name says: `@oxlint/binding-linux-x64-musl`. */
function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = ['linux', 'darwin', 'win32', 'freebsd', 'android', 'openharmony'].find((one) => words.includes(one));
  const cpu = words.includes('wasm32')
    ? 'wasm32'
    : ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 's390x', 'riscv64'].find((one) => words.includes(one));
  if (words.includes('wasi') || !cpu) return undefined;
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : words.some((word) => word.startsWith('gnu'))
      ? 'glibc'
      : undefined;
  return { cpu: [cpu], ...(libc ? { libc: [libc] } : {}), ...(os ? { os: [os] } : {}) };
}
