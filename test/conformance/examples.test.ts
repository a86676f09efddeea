import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { components } from '../../src/components.ts';
import { loadConfig, problemLine } from '../../src/config/index.ts';
import { createRaybridge } from '../../src/raybridge.ts';
import { rootPath } from '../support/root.ts';

/** Every example that stands beside a component or in examples/ runs as it is, but for its ports. */
const examples = ['src', 'examples'].flatMap((folder) =>
  readdirSync(rootPath(folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(folder, name)),
);

describe('examples', () => {
  for (const example of examples) {
    it(`${example} is valid and starts`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'raybridge-example-'));
      try {
        await startAndStop(example, folder);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }

  it('stand beside every component', () => {
    const folders = new Set(examples.map(dirname));
    const types = [...components].flatMap(([kind, factories]) =>
      [...factories.values()].map(({ type }) => `src/${kind}s/${type}`),
    );
    assert.deepEqual(
      types.filter((folder) => !folders.has(folder)),
      [],
    );
  });
});

async function startAndStop(example: string, folder: string): Promise<void> {
  const file = join(folder, 'example.yaml');
  writeFileSync(file, readFileSync(rootPath(example), 'utf8').replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:0'));
  const { config, problems } = await loadConfig({
    locations: [file],
    sets: [],
    read: async (path) => readFileSync(path, 'utf8'),
    env: new Map(),
    registry: components,
  });
  assert.deepEqual(problems.filter(({ severity }) => severity !== 'info').map(problemLine), []);
  assert.ok(config);
  const raybridge = await createRaybridge({ config, dataDir: join(folder, 'data'), log: pino({ level: 'silent' }) });
  try {
    await raybridge.start();
    await raybridge.storesOpen();
    assert.ok(raybridge.status.listeners.length > 0);
  } finally {
    await raybridge.shutdown(1000);
  }
}
