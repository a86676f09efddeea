// `npm start` and `npm run demo`: installs and builds what is missing, then runs the program in this process.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, install, root } from './build.mjs';

install();
await build();
const main = join(root, 'dist', 'program', 'raybridge.js');
process.argv[1] = main;
await import(pathToFileURL(main).href);
