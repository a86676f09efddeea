import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

/** An entrance of the package that needs nothing but itself. */
export type Entrance = 'codec' | 'convert';

export interface Bundle {
  /** One ES module, minified. */
  readonly code: string;
  /** What it would still have to import; nothing, or a browser could not load it. */
  readonly imports: readonly string[];
  readonly bytes: number;
  readonly gzipBytes: number;
}

/** The built entrances in one file, as a user's bundler makes it for browsers. */
export async function bundleEntrances(entrances: readonly Entrance[]): Promise<Bundle> {
  const source = entrances.map((name) => `export * from ${JSON.stringify(builtFile(name))};`).join('\n');
  const build = await rolldown({
    input: entryId,
    platform: 'browser',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entryId ? id : undefined),
        load: (id) => (id === entryId ? source : undefined),
      },
    ],
  });
  const { output } = await build.generate({ format: 'esm', minify: true });
  await build.close();
  const [{ code, imports, dynamicImports }, ...rest] = output;
  return {
    code,
    imports: [...imports, ...dynamicImports, ...rest.map(({ fileName }) => fileName)],
    bytes: Buffer.byteLength(code),
    gzipBytes: gzipSync(code, { level: 9 }).length,
  };
}

/** A module that exists in memory only. */
const entryId = '\0entrances';

/** By way of package.json, as everyone else finds it. */
function builtFile(entrance: Entrance): string {
  return fileURLToPath(import.meta.resolve(`raybridge/${entrance}`));
}
