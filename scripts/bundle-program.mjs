// Makes dist/program from src: the program in few files, which start in two thirds of the time that some
// hundred modules of it and of its packages take. dist/src stays beside it for those who import the library.
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { rolldown } from 'rolldown';

/** Loaded from node_modules: one that has native code, and one that loads parts of itself only when they are asked for. */
const external = [/^lmdb$/, /^@aws-sdk\/credential-providers$/];

export async function bundleProgram(root) {
  const source = join(root, 'src');
  const folder = join(root, 'dist', 'program');
  const build = await rolldown({
    input: { raybridge: join(source, 'cli', 'main.ts') },
    platform: 'node',
    cwd: root,
    external,
    plugins: [{ name: 'own-place', transform: { filter: { code: 'import.meta.url' }, handler: keepPlace } }],
  });
  rmSync(folder, { recursive: true, force: true });
  const { output } = await build.write({
    dir: folder,
    format: 'esm',
    sourcemap: true,
    chunkFileNames: '[name]-[hash].js',
  });
  await build.close();
  writeFileSync(join(folder, 'THIRD-PARTY-NOTICES.txt'), notices(output.flatMap(({ moduleIds }) => moduleIds ?? [])));

  /** A module of src finds what lies beside it (pages, child processes) where tsc puts it, in dist/src. */
  function keepPlace(code, id) {
    if (!id.startsWith(source + sep)) return null;
    const place = relative(folder, join(root, 'dist', 'src', relative(source, id))).replace(/\.ts$/, '.js');
    const url = `new URL(${JSON.stringify(place.replaceAll(sep, '/'))}, import.meta.url).href`;
    return { code: code.replaceAll('import.meta.url', url), map: null };
  }
}

/** The licences of the packages whose code stands in these modules. */
function notices(moduleIds) {
  const folders = new Set(moduleIds.filter((id) => id.includes(`${sep}node_modules${sep}`)).map(packageFolder));
  return [...folders]
    .toSorted()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const texts = readdirSync(folder)
        .filter((file) => /^(licen[cs]e|notice)/i.test(file))
        .map((file) => readFileSync(join(folder, file), 'utf8').trim());
      return [`${name} ${version}, ${license}`, ...texts].join('\n\n');
    })
    .join(`\n\n${'-'.repeat(80)}\n\n`)
    .concat('\n');
}

/** The nearest folder with a package.json that names a package (some have nameless ones in parts of them). */
function packageFolder(id) {
  const folder = dirname(id);
  const manifest = join(folder, 'package.json');
  const isPackage = existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version !== undefined;
  return isPackage ? folder : packageFolder(folder);
}
