import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

/** As the X-Ray daemon rotates its log. */
const bytesMax = 50 * 1000 * 1000;

/** Appends to a file; when that is full it gets the ending `.1`, in place of the one before. */
export function openLogFile(path: string): { write(text: string): void } {
  let file = openSync(path, 'a', 0o600);
  let bytes = fstatSync(file).size;
  return {
    write(text) {
      bytes += writeSync(file, text);
      if (bytes < bytesMax) return;
      closeSync(file);
      renameSync(path, `${path}.1`);
      file = openSync(path, 'a', 0o600);
      bytes = 0;
    },
  };
}
