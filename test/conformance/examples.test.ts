import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, it } from 'node:test';
import { components } from '../../src/components.ts';
import { loadConfig } from '../../src/config/index.ts';
import { rootPath } from '../support/root.ts';

const files = ['src', 'examples'].flatMap((folder) =>
  readdirSync(rootPath(folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => (folder === 'src' ? basename(file) === 'example.yaml' : file.endsWith('.yaml')))
    .map((file) => `${folder}/${file}`),
);

describe('the example', () => {
  for (const file of files) {
    it(`${file} is a configuration without anything to complain of`, async () => {
      const { config, problems } = await loadConfig({
        locations: [rootPath(file)],
        sets: [],
        read: async (path) => readFileSync(path, 'utf8'),
        env: new Map(),
        registry: components,
      });
      const shown = problems.filter(({ severity }) => severity !== 'info' && severity !== 'debug');
      assert.deepEqual(
        shown.map(({ line, text }) => `${line}: ${text}`),
        [],
      );
      assert.ok(config);
    });
  }
});
