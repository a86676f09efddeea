import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname, join, parse } from 'node:path';

/** Messages one after the other in a file: each on a line, or each behind its length. */
export interface FileWriter {
  /** Appends one; after a failure the file is as before. */
  write(message: Uint8Array): Promise<void>;
  /** Resolves when all of it is on disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface Rotation {
  readonly bytesMax: number;
  /** Age of files that are kept; 0 means any. */
  readonly daysMax: number;
  /** Number of files that are kept; 0 means any. */
  readonly backupsMax: number;
  /** Whether their names have the local time instead of UTC. */
  readonly isLocalTime: boolean;
}

export interface FileWriterSetup {
  readonly path: string;
  /** Four bytes, the length in network order, before each message, instead of a line break after it. */
  readonly isFramed: boolean;
  /** Whether what is in the file goes; else it is written behind it. */
  readonly isEmptied: boolean;
  readonly rotation: Rotation | undefined;
  /** Of folders that are made when they are missing; undefined when none are. */
  readonly directoryMode: number | undefined;
}

const fileMode = 0o600;
const lengthBytes = 4;
const lineBreak = Buffer.from('\n');
const dayMs = 24 * 3600 * 1000;

export async function openFileWriter(setup: FileWriterSetup): Promise<FileWriter> {
  const { path, isFramed, rotation } = setup;
  if (setup.directoryMode !== undefined) {
    await mkdir(dirname(path), { recursive: true, mode: setup.directoryMode });
  }
  let { handle, size } = await openFile(setup);

  const rotate = async ({ backupsMax, daysMax, isLocalTime }: Rotation): Promise<void> => {
    await handle.datasync();
    await handle.close();
    const now = new Date();
    await rename(path, backupPath(path, isLocalTime ? localStamp(now) : now));
    ({ handle, size } = await openFile({ ...setup, isEmptied: true }));
    await removeOld(path, { backupsMax, daysMax });
  };

  return {
    async write(message) {
      const bytes = isFramed ? framed(message) : Buffer.concat([message, lineBreak]);
      if (rotation && size > 0 && size + bytes.length > rotation.bytesMax) await rotate(rotation);
      try {
        await writeAll(handle, bytes, size);
        size += bytes.length;
      } catch (error) {
        // A part of a message would hide the next one. When this fails too, the next write goes over it.
        await handle.truncate(size).catch(() => {});
        throw error;
      }
    },
    sync: () => handle.datasync(),
    close: () => handle.close(),
  };
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly size: number;
}

async function openFile({ path, isFramed, isEmptied }: FileWriterSetup): Promise<OpenFile> {
  const flags = constants.O_RDWR | constants.O_CREAT | (isEmptied ? constants.O_TRUNC : 0);
  const handle = await open(path, flags, fileMode);
  try {
    await syncFolder(dirname(path));
    const { size } = await handle.stat();
    // A crash may have left a part of a message, which comes again from the queue.
    if (isFramed) {
      const end = await endOfFrames(handle, size);
      if (end < size) await handle.truncate(end);
      return { handle, size: end };
    }
    const last = Buffer.alloc(lineBreak.length);
    if (size > 0) await handle.read(last, 0, last.length, size - last.length);
    if (size === 0 || last.equals(lineBreak)) return { handle, size };
    await writeAll(handle, lineBreak, size);
    return { handle, size: size + lineBreak.length };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** So that a new name survives a crash of the machine. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Where the last whole message ends. */
async function endOfFrames(handle: FileHandle, size: number): Promise<number> {
  const length = Buffer.alloc(lengthBytes);
  let end = 0;
  while (end + lengthBytes <= size) {
    await handle.read(length, 0, lengthBytes, end);
    const next = end + lengthBytes + length.readUInt32BE();
    if (next > size) break;
    end = next;
  }
  return end;
}

function framed(message: Uint8Array): Buffer {
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

/** `data.json` becomes `data-2022-09-14T05-02-14.173.json`. */
function backupPath(path: string, at: Date): string {
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}-${at.toISOString().slice(0, -1).replaceAll(':', '-')}${ext}`);
}

/** Another moment, whose UTC is the local time of this one. */
function localStamp(at: Date): Date {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
}

async function removeOld(
  path: string,
  { backupsMax, daysMax }: Pick<Rotation, 'backupsMax' | 'daysMax'>,
): Promise<void> {
  const { dir, name, ext } = parse(path);
  const folder = dir === '' ? '.' : dir;
  const stampPattern = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$/;
  const backups = (await readdir(folder))
    .filter((file) => file.startsWith(`${name}-`) && file.endsWith(ext))
    .map((file) => ({ file, stamp: file.slice(name.length + 1, file.length - ext.length) }))
    .filter(({ stamp }) => stampPattern.test(stamp))
    .toSorted((a, b) => (a.stamp < b.stamp ? 1 : -1));
  const oldest = new Date(Date.now() - daysMax * dayMs).toISOString().slice(0, -1).replaceAll(':', '-');
  for (const [i, { file, stamp }] of backups.entries()) {
    const isSurplus = backupsMax > 0 && i >= backupsMax;
    const isOld = daysMax > 0 && stamp < oldest;
    if (isSurplus || isOld) await unlink(join(folder, file));
  }
}
