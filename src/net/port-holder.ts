import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * Who owns a socket, and what the kernel dropped on it, as Linux tells under /proc (proc(5):
 * /proc/net/tcp, /proc/net/udp, /proc/pid/fd). A socket is known by its inode: the tables list
 * inodes by port, the descriptors of a process link to `socket:[inode]`. Elsewhere, or when /proc
 * is hidden, every answer is undefined. The reads are synchronous because a gauge must answer at
 * once and because /proc never waits for a disk.
 */

export type Transport = 'udp' | 'tcp';

/** A program that has a port open. */
export interface PortHolder {
  readonly pid: number;
  /** The file name of the program. */
  readonly name: string;
}

/** Processes looked at before giving up: one bad start must not scan a whole large host for seconds. */
const processesMax = 5_000;

/** The program that has this local port open, when it can be found (it may belong to another user). */
export function findPortHolder(port: { readonly transport: Transport; readonly port: number }): PortHolder | undefined {
  const inodes = new Set(
    readSockets(port.transport)
      .filter((socket) => socket.port === port.port && socket.bound)
      .map((socket) => socket.inode),
  );
  if (inodes.size === 0) return undefined;
  for (const pid of processIds()) {
    if (socketInodes(pid).some((inode) => inodes.has(inode))) return { pid, name: processName(pid) };
  }
  return undefined;
}

/** The inode of this process's own UDP socket on a port, for `readDrops`. */
export function findOwnUdpSocket(port: number): string | undefined {
  const own = new Set(socketInodes('self'));
  return readSockets('udp').find((socket) => socket.port === port && own.has(socket.inode))?.inode;
}

/** Datagrams the kernel threw away because the socket's receive buffer was full. */
export function readDrops(inode: string): number | undefined {
  return readSockets('udp').find((socket) => socket.inode === inode)?.drops;
}

interface KernelSocket {
  readonly port: number;
  readonly inode: string;
  /** Listening (TCP) or bound (UDP), not one end of a connection. */
  readonly bound: boolean;
  readonly drops: number;
}

function readSockets(transport: Transport): readonly KernelSocket[] {
  return [`/proc/net/${transport}`, `/proc/net/${transport}6`].flatMap((table) =>
    readText(table).split('\n').slice(1).flatMap(parseRow),
  );
}

const tcpListen = '0A';
const udpUnconnected = '07';

/** Columns: slot, local address:port in hex, remote, state, …, inode (9) and, for UDP, drops (12). */
function parseRow(line: string): KernelSocket[] {
  const columns = line.trim().split(/\s+/);
  const inode = columns[9];
  if (inode === undefined || inode === '0') return [];
  const port = Number.parseInt(columns[1]?.split(':')[1] ?? '', 16);
  const bound = columns[3] === tcpListen || columns[3] === udpUnconnected;
  return [{ port, inode, bound, drops: Number(columns[12] ?? 0) }];
}

function processIds(): readonly number[] {
  return readFolder('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .slice(0, processesMax)
    .map(Number);
}

function socketInodes(pid: number | 'self'): readonly string[] {
  return readFolder(`/proc/${pid}/fd`).flatMap((descriptor) => {
    const inode = /^socket:\[(\d+)\]$/.exec(readLink(`/proc/${pid}/fd/${descriptor}`))?.[1];
    return inode === undefined ? [] : [inode];
  });
}

/** As it was started. The kernel's own short name is that of the first thread, which newer releases of Node.js rename. */
function processName(pid: number): string {
  const program = readText(`/proc/${pid}/cmdline`).split('\0')[0] ?? '';
  return basename(program) || readText(`/proc/${pid}/comm`).trim() || 'unknown';
}

// Processes end between listing and reading, and other users' descriptors are closed to us: then
// there is nothing to see there, which is an answer and not an error.

function readText(path: string): string {
  return quietly(() => readFileSync(path, 'latin1'), '');
}

function readFolder(path: string): readonly string[] {
  return quietly(() => readdirSync(path), []);
}

function readLink(path: string): string {
  return quietly(() => readlinkSync(path), '');
}

function quietly<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
