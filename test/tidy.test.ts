import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { components } from '../src/components.ts';
import { finalCodes, retryableCodes } from '../src/errors.ts';
import { operations } from '../src/extensions/xray_api/operations.ts';
import { rootPath } from './support/root.ts';

/** The repository holds its own rules: floors, registration, error codes, entrances, dependencies. */

interface Import {
  readonly file: string;
  /** A path from the root of the repository, or the name of a package. */
  readonly target: string;
}

const roomFloors: ReadonlyMap<string, number> = new Map([
  ['model', 0],
  ['errors.ts', 0],
  ['codec', 1],
  ['convert', 1],
  ['query', 1],
  ['sampling', 1],
  ['config', 1],
  ['pipeline', 2],
  ['net', 2],
  ['aws', 2],
  ['transcode', 2],
  ['reader', 2],
  ['transform', 2],
  ['receivers', 3],
  ['processors', 3],
  ['exporters', 3],
  ['connectors', 3],
  ['stores', 3],
  ['extensions', 3],
  ['components.ts', 4],
  ['raybridge.ts', 4],
  ['version.ts', 4],
  ['data-dir.ts', 4],
  ['control.ts', 4],
  ['demo', 4],
  ['index.ts', 4],
  ['cli', 4],
]);

/** Rooms of floor 2 that may import each other, and why. */
const neighbours: ReadonlyMap<string, string> = new Map([
  ['pipeline -> net', 'the context hands the shared HTTP host to components'],
  [
    'net -> pipeline',
    'sampling calls are answered from the sampling service, traces go to the intake, listeners are reported to the status',
  ],
  ['pipeline -> transcode', 'segment documents become spans by way of bytes, which is several times faster'],
  ['aws -> net', 'signed calls go out over the HTTP client'],
  ['config -> codec', 'the CloudWatch agent takes strict JSON, whose errors have a place'],
  ['transform -> pipeline', 'redaction takes batches and makes them'],
  ['reader -> pipeline', 'it reads through the store interface'],
]);

/** Packages that rooms of the two lower floors may import; everything there must run in a browser. */
const parserLibraries: ReadonlyMap<string, readonly string[]> = new Map([['config', ['yaml', 'zod']]]);

const sources = sourceFiles(rootPath('src')).filter(
  (file) => !file.endsWith('.test.ts') && !file.endsWith('-contract.ts'),
);
const imports = sources.flatMap(importsOf);

describe('the house', () => {
  it('has only rooms that stand on a floor', () => {
    const rooms = new Set(sources.map(roomOf));
    assert.deepEqual(
      [...rooms].filter((room) => !roomFloors.has(room)),
      [],
    );
  });

  it('has imports that go down only', () => {
    const wrong = imports.filter(({ file, target }) => target.startsWith('src/') && !mayImport(file, target));
    assert.deepEqual(wrong, []);
  });

  it('keeps the two lower floors and transcode, which run in a browser, free of node: and of packages', () => {
    const wrong = imports.filter(({ file, target }) => {
      const room = roomOf(file);
      if (target.startsWith('src/') || (floorOf(room) > 1 && room !== 'transcode')) return false;
      return !(parserLibraries.get(room) ?? []).includes(target);
    });
    assert.deepEqual(wrong, []);
  });

  it('lets the console see floors 0 and 1 only', () => {
    const wrong = sourceFiles(rootPath('console', 'src'))
      .flatMap(importsOf)
      .filter(({ target }) => target.startsWith('src/') && floorOf(roomOf(target)) > 1);
    assert.deepEqual(wrong, []);
  });

  it('has no room called utils, common, helpers, misc, core or shared', () => {
    const rooms = sources.flatMap((file) => dirname(file).split('/'));
    assert.deepEqual(
      rooms.filter((room) => /^(utils?|common|helpers?|misc|core|shared)$/.test(room)),
      [],
    );
  });
});

describe('components', () => {
  const kinds = ['receiver', 'processor', 'exporter', 'connector', 'store', 'extension'] as const;
  const folders = kinds.flatMap((kind) =>
    childFolders(rootPath('src', `${kind}s`)).map((type) => ({
      kind,
      type,
      folder: rootPath('src', `${kind}s`, type),
    })),
  );

  it('are registered under the name of their folder', () => {
    const unregistered = folders.filter(({ kind, type }) => !components.get(kind)?.has(type));
    assert.deepEqual(unregistered, []);
  });

  it('are loaded under the kind and the type by which they are registered', async () => {
    for (const [kind, types] of components) {
      for (const registered of types.values()) {
        const factory = await registered.load();
        assert.deepEqual([factory.kind, factory.type], [kind, registered.type]);
      }
    }
  });

  it('have a folder of their name', () => {
    const types = [...components].flatMap(([kind, factories]) =>
      [...factories.values()].map(({ type }) => `${kind}s/${type}`),
    );
    assert.deepEqual(
      types.filter((type) => !existsSync(rootPath('src', type))),
      [],
    );
  });

  it('have an index, an example and a README', () => {
    const lacking = folders.flatMap(({ folder }) =>
      ['index.ts', 'example.yaml', 'README.md']
        .filter((name) => !existsSync(join(folder, name)))
        .map((name) => `${folder}/${name}`),
    );
    assert.deepEqual(lacking, []);
  });
});

describe('docs/errors.md', () => {
  it('lists every error code with its meaning and whether a retry helps', () => {
    const rows = readFileSync(rootPath('docs', 'errors.md'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const expected = [...retryableCodes.map((code) => [code, 'yes']), ...finalCodes.map((code) => [code, 'no'])];
    const documented = rows.map((row) => /^\| `(\w+)` \| (yes|no) \| \S.*\. \|$/.exec(row)?.slice(1));
    assert.deepEqual(documented.sort(), expected.sort());
  });
});

describe('docs/x-ray-api.md', () => {
  it('says of every operation what is exact, what is chosen, and what has no effect', () => {
    const rows = readFileSync(rootPath('docs', 'x-ray-api.md'), 'utf8')
      .split('\n')
      .filter((line) => /^\| `[A-Z]\w+`/.test(line))
      .map((line) => line.slice(1, -1).split(' | '));
    assert.deepEqual(
      rows.filter((cells) => cells.length !== 4 || cells.some((cell) => cell.trim() === '')),
      [],
    );
    const documented = rows.flatMap(([names = '']) => [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name));
    assert.deepEqual(documented.toSorted(), [...operations.values()].map(({ name }) => name).toSorted());
  });
});

describe('package.json', () => {
  const manifest = JSON.parse(readFileSync(rootPath('package.json'), 'utf8'));

  it('has entrances that exist', () => {
    const missing = Object.values<{ types: string; default: string }>(manifest.exports)
      .map((entrance) => entrance.default.replace('./dist/', '').replace(/\.js$/, '.ts'))
      .filter((source) => !existsSync(rootPath(source)));
    assert.deepEqual(missing, []);
  });

  it('names exact versions', () => {
    const { dependencies, optionalDependencies, devDependencies } = manifest;
    const loose = Object.entries<string>({ ...dependencies, ...optionalDependencies, ...devDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
    );
    assert.deepEqual(loose, []);
  });

  it('has a lockfile that names no registry', () => {
    const lock = readFileSync(rootPath('package-lock.json'), 'utf8');
    assert.equal(lock.includes('"resolved": "http'), false);
  });

  it('brings packages under licences that go with Apache-2.0', () => {
    const lock = JSON.parse(readFileSync(rootPath('package-lock.json'), 'utf8'));
    const allowed =
      /^\(?(Apache-2\.0|MIT|ISC|BSD-2-Clause|BSD-3-Clause|0BSD|BlueOak-1\.0\.0|CC0-1\.0|Python-2\.0|MPL-2\.0|CC-BY-4\.0|Unlicense| OR | AND )+\)?$/;
    const wrong = Object.entries<{ license?: string; link?: boolean; dev?: boolean }>(lock.packages)
      .filter(([path, entry]) => path.startsWith('node_modules/') && !entry.link && !entry.dev)
      .filter(([, entry]) => !allowed.test(entry.license ?? ''))
      .map(([path, entry]) => `${path}: ${entry.license}`);
    assert.deepEqual(wrong, []);
  });
});

function mayImport(file: string, target: string): boolean {
  const [from, to] = [roomOf(file), roomOf(target)];
  if (from === to) return floorOf(from) !== 3 || componentOf(file) === componentOf(target);
  if (floorOf(to) < floorOf(from)) return true;
  return floorOf(from) === 4 || neighbours.has(`${from} -> ${to}`);
}

function floorOf(room: string): number {
  return roomFloors.get(room) ?? Number.NaN;
}

function roomOf(file: string): string {
  return file.split('/')[1] ?? '';
}

function componentOf(file: string): string {
  return file.split('/').slice(0, 3).join('/');
}

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(rootPath(file), 'utf8');
  return [...text.matchAll(/^(?:import|export)(?:[\w*{},\s]+?\sfrom)?\s['"]([^'"]+)['"]/gm)].map(([, target = '']) => ({
    file,
    target: target.startsWith('.') ? relative(rootPath(), join(rootPath(dirname(file)), target)) : target,
  }));
}

function sourceFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.includes('node_modules'))
    .map((name) => relative(rootPath(), join(folder, name)));
}

function childFolders(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}
