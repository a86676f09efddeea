// `npm run bench -- NAME`: installs and builds what is missing, then runs bench/NAME.ts; without a name, lists them.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, install, root } from './build.mjs';

const [name = ''] = process.argv.slice(2);
install();
await build();
const file = join(root, 'dist', 'bench', `${name}.js`);
if (!existsSync(file)) {
  const files = readdirSync(join(root, 'bench')).filter((entry) => entry.endsWith('.ts'));
  console.error(`Which bench? One of: ${files.map((entry) => entry.replace(/\.ts$/, '')).join(', ')}`);
  process.exit(2);
}
await import(pathToFileURL(file).href);
