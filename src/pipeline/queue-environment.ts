import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { open as openFile, rename, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { open as openLmdb, type Database, type DatabaseOptions, type RootDatabase } from 'lmdb';
import { RaybridgeError } from '../errors.ts';
import type { Logger } from './component.ts';
import { firstSequence } from './queue-accounts.ts';

/**
 * Opens the LMDB environment of the queue, or makes a new one.
 *
 * LMDB trusts its file: a file that is shorter than its meta page says kills the process with
 * SIGBUS, and garbage in a meta page with SIGSEGV. So the meta pages are read by hand first, and a
 * file that was cut short is filled up with zeros, which turns a signal into a bad checksum. A new
 * environment is made in a folder beside its place and moved there when it is complete; therefore
 * a data file without our stamp is damage, never a half-made beginning.
 */
export interface QueueTables {
  readonly root: RootDatabase<Buffer, number>;
  /** `version`, `id`, and the numbers of `queue-rows.ts`, each as text. */
  readonly meta: Database<string, string>;
  /** sequence → what is known of a record without its body. */
  readonly records: Database<Buffer, number>;
  /** sequence → envelope. */
  readonly bodies: Database<Buffer, number>;
  /** (destination, sequence) → length of the body. */
  readonly pending: Database<Buffer, [string, number]>;
  /** number → dead letter. */
  readonly deadLetters: Database<Buffer, number>;
}

/** Of the tables and rows below. A newer stamp is refused, an older one would be converted here. */
const dataVersion = 1;
export const dataFileName = 'data.mdb';

/**
 * @throws RaybridgeError DATA_TOO_NEW, and nothing was touched; QUEUE_CORRUPT, unless `allowReset`
 * moves the damaged folder aside; CONFIG_INVALID on a network file system, where LMDB's locks and
 * syncs do not hold.
 */
export async function openQueueEnvironment(place: {
  readonly dir: string;
  readonly allowReset: boolean;
  readonly nowNs: () => bigint;
  readonly log: Logger;
}): Promise<QueueTables> {
  try {
    return await openOrCreate(place);
  } catch (error) {
    if (!(error instanceof RaybridgeError) || error.code !== 'QUEUE_CORRUPT' || !place.allowReset) throw error;
    const aside = `${place.dir}.corrupt-${place.nowNs() / 1_000_000n}`;
    await rename(place.dir, aside);
    place.log.error(
      { err: error, aside },
      'the queue is damaged and was moved aside as asked; an empty one takes its place',
    );
    return await openOrCreate(place);
  }
}

async function openOrCreate(place: {
  readonly dir: string;
  readonly nowNs: () => bigint;
  readonly log: Logger;
}): Promise<QueueTables> {
  mkdirSync(place.dir, { recursive: true, mode: 0o700 });
  refuseNetworkFileSystem(place.dir);
  if (!existsSync(join(place.dir, dataFileName))) await createEnvironment(place);
  await fillUpDataFile(place);
  const tables = openTables(place.dir);
  try {
    checkTables(place.dir, tables);
  } catch (error) {
    await tables.root.close();
    throw error;
  }
  return tables;
}

const networkFileSystems = new Map<number, string>([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x5346414f, 'AFS'],
]);

function refuseNetworkFileSystem(dir: string): void {
  const name = networkFileSystems.get(statfsSync(dir).type >>> 0);
  if (name === undefined) return;
  throw new RaybridgeError('CONFIG_INVALID', `queue folder ${dir}: expected a local file system, got ${name}`);
}

async function createEnvironment({
  dir,
  nowNs,
}: {
  readonly dir: string;
  readonly nowNs: () => bigint;
}): Promise<void> {
  const unfinished = join(dir, 'unfinished');
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  const root = openRoot(unfinished);
  const meta = openMeta(root, true);
  for (const name of dataTables) openTable(root, name, true);
  root.transactionSync(() => {
    meta.putSync('version', String(dataVersion));
    meta.putSync('id', randomUUID());
    meta.putSync('nextSequence', String(firstSequence(nowNs())));
    meta.putSync('nextLetter', '1');
    meta.putSync('letterBytes', '0');
  });
  await root.close();
  renameSync(join(unfinished, dataFileName), join(dir, dataFileName));
  rmSync(unfinished, { recursive: true });
  await syncFolder(dir);
  await syncFolder(dirname(dir));
}

/** A new name survives a power cut only when the folder that holds it was synced too. */
async function syncFolder(dir: string): Promise<void> {
  const handle = await openFile(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function fillUpDataFile({ dir, log }: { readonly dir: string; readonly log: Logger }): Promise<void> {
  const file = await openFile(join(dir, dataFileName), 'r+');
  try {
    const { size } = await file.stat();
    const expected = await statedBytes(file, dir);
    if (size >= expected) return;
    log.warn(
      { dir, size, expected },
      'the data file of the queue is cut short; what is missing will fail its checksum',
    );
    await file.truncate(expected);
  } finally {
    await file.close();
  }
}

/** LMDB's MDB_page and MDB_meta, data format 2, 64 bit: where the fields lie that tell how long the file is. */
const metaPage = { magicAt: 24, formatAt: 28, pageSizeAt: 48, lastPageAt: 144, bytes: 160 };
const lmdbMagic = 0xbeefc0de;
const lmdbFormat = 2;
const pageSizes: ReadonlySet<number> = new Set([4096, 8192, 16384, 32768, 65536]);

/** How long the file must be by its two meta pages. */
async function statedBytes(file: FileHandle, dir: string): Promise<number> {
  const first = await readMetaPage(file, 0, dir);
  const second = await readMetaPage(file, first.pageSize, dir);
  return (Math.max(first.lastPage, second.lastPage) + 1) * first.pageSize;
}

async function readMetaPage(
  file: FileHandle,
  position: number,
  dir: string,
): Promise<{ readonly pageSize: number; readonly lastPage: number }> {
  const page = Buffer.alloc(metaPage.bytes);
  await file.read(page, 0, page.length, position);
  const pageSize = page.readUInt32LE(metaPage.pageSizeAt);
  const known =
    page.readUInt32LE(metaPage.magicAt) === lmdbMagic && page.readUInt32LE(metaPage.formatAt) === lmdbFormat;
  if (!known || !pageSizes.has(pageSize))
    throw corrupt(dir, `expected an LMDB meta page at byte ${position}, found none`);
  return { pageSize, lastPage: Number(page.readBigUInt64LE(metaPage.lastPageAt)) };
}

const dataTables = ['records', 'bodies', 'pending', 'deadLetters'] as const;

function openTables(dir: string): QueueTables {
  try {
    const root = openRoot(dir);
    // The folder is 0700 already; the files are so too, in case somebody opens the folder.
    for (const name of [dataFileName, 'lock.mdb']) chmodSync(join(dir, name), 0o600);
    return {
      root,
      meta: openMeta(root, false),
      records: openTable(root, 'records', false),
      bodies: openTable(root, 'bodies', false),
      pending: openTable(root, 'pending', false),
      deadLetters: openTable(root, 'deadLetters', false),
    };
  } catch (cause) {
    throw corrupt(dir, 'expected the tables of a queue, LMDB cannot open them', cause);
  }
}

function openRoot(dir: string): RootDatabase<Buffer, number> {
  return openLmdb<Buffer, number>({
    path: dir,
    noSubdir: false,
    maxDbs: 8,
    encoding: 'binary',
    // A commit is reported after its fsync, not before.
    overlappingSync: false,
    // We group commits ourselves. LMDB's own grouping makes a promise that nobody can reach and
    // that rejects when a commit fails, which would end the process.
    eventTurnBatching: false,
  });
}

function openMeta(root: RootDatabase<Buffer, number>, create: boolean): Database<string, string> {
  return required(root.openDB<string, string>('meta', tableOptions('string', create)));
}

function openTable<Key extends number | [string | number, number]>(
  root: RootDatabase<Buffer, number>,
  name: (typeof dataTables)[number],
  create: boolean,
): Database<Buffer, Key> {
  return required(root.openDB<Buffer, Key>(name, tableOptions('binary', create)));
}

/** `create` is missing in lmdb's types; without it a table that is not there is made in silence. */
function tableOptions(encoding: 'string' | 'binary', create: boolean): DatabaseOptions & { readonly create: boolean } {
  return { encoding, create };
}

/** lmdb gives undefined, against its types, when a table does not exist and `create` is false. */
function required<Table>(table: Table | undefined): Table {
  if (table === undefined) throw new Error('a table is missing');
  return table;
}

function checkTables(dir: string, { meta, records, bodies, pending, deadLetters }: QueueTables): void {
  const version = readOrCorrupt(dir, () => meta.get('version'));
  if (version === undefined || !/^\d{1,9}$/.test(version)) {
    throw corrupt(dir, `expected a version stamp, got ${JSON.stringify(version)}`);
  }
  if (Number(version) > dataVersion) throw tooNew(dir, version);
  const numbers = readOrCorrupt(dir, () => ['nextSequence', 'nextLetter', 'letterBytes'].map((key) => meta.get(key)));
  if (!meta.get('id') || numbers.some((text) => text === undefined || !/^\d{1,16}$/.test(text))) {
    throw corrupt(dir, `expected an id and three numbers, got ${JSON.stringify(numbers)}`);
  }
  // Every page of keys is read once, so that damage there stops the start. Bodies lie in pages of their own, which are not read.
  for (const table of [records, bodies, pending, deadLetters]) readOrCorrupt(dir, () => table.getKeysCount());
}

/** LMDB throws its own errors when a page is not what its parent says. */
export function readOrCorrupt<Found>(dir: string, read: () => Found): Found {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof RaybridgeError) throw cause;
    throw corrupt(dir, 'LMDB finds a damaged page', cause);
  }
}

function corrupt(dir: string, found: string, cause?: unknown): RaybridgeError {
  const details = cause === undefined ? {} : { cause };
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  return new RaybridgeError(
    'QUEUE_CORRUPT',
    `queue folder ${dir}: ${found}${reason}; start with --allow-queue-reset to move it aside and begin empty`,
    details,
  );
}

function tooNew(dir: string, version: string): RaybridgeError {
  return new RaybridgeError(
    'DATA_TOO_NEW',
    `queue folder ${dir}: expected data of version ${dataVersion} or older, got version ${version}; use the newer Raybridge`,
  );
}
