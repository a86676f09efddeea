// `npm run screenshots`: installs and builds what is missing, then runs scripts/screenshots.ts.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, install, root } from './build.mjs';

install();
await build();
await import(pathToFileURL(join(root, 'dist', 'scripts', 'screenshots.js')).href);
