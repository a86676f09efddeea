import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { Status } from '../pipeline/status.ts';
import type { Logger } from '../pipeline/component.ts';
import { parseAddress, printAddress, type Address } from './address.ts';
import { listenFailed, reportListening, type WantedListener } from './listening.ts';
import { findOwnUdpSocket, readDrops } from './port-holder.ts';

/** A bound UDP socket that receives. */
export interface UdpReceiver {
  /** host:port as bound. */
  readonly address: string;
  /**
   * Datagrams the kernel dropped since the socket was opened because we read too slowly; 0 where
   * the system does not tell (only Linux does).
   */
  drops(): number;
  /** Reads what the kernel already holds, then closes: nothing that arrived before is lost. */
  close(): Promise<void>;
}

/**
 * Bytes the kernel may hold for us between two turns of the event loop. With the system's usual
 * 208 KiB a burst of 5,000 segments a second of 1.9 kB already loses some; with 4 MiB, none at 40,000.
 */
const receiveBufferBytes = 4 * 1024 * 1024;

/**
 * Opens a UDP socket. `onDatagram` gets each datagram's own bytes and must not throw or wait.
 * @throws RaybridgeError LISTEN_FAILED, CONFIG_INVALID (endpoint).
 */
export async function openUdp({
  component,
  protocol,
  endpoint,
  onDatagram,
  status,
  log,
}: {
  readonly component: string;
  readonly protocol: string;
  readonly endpoint: string;
  /** `source` is the address of the sender, as it says. */
  readonly onDatagram: (datagram: Uint8Array, source: string) => void;
  readonly status: Status;
  readonly log: Logger;
}): Promise<UdpReceiver> {
  const address = parseAddress(endpoint);
  const socket = createSocket({ type: isIPv6(address.host) ? 'udp6' : 'udp4', recvBufferSize: receiveBufferBytes });
  const bound = await bind(socket, { component, protocol, transport: 'udp', address });

  let received = 0;
  socket.on('message', (datagram, { address: source }) => {
    received += 1;
    onDatagram(datagram, source);
  });
  socket.on('error', (error) => {
    log.error({ err: error }, 'the UDP socket failed');
    status.fault(component, `the UDP socket failed: ${error.message}`);
  });
  reportListening({ status, log, listener: { component, protocol, transport: 'udp', address: printAddress(bound) } });
  warnOfSmallBuffer(socket, log);

  const inode = findOwnUdpSocket(bound.port);
  return {
    address: printAddress(bound),
    drops: () => (inode === undefined ? 0 : (readDrops(inode) ?? 0)),
    async close() {
      await readOut(() => received);
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

async function bind(socket: Socket, wanted: WantedListener): Promise<Address> {
  try {
    socket.bind({ address: wanted.address.host, port: wanted.address.port, exclusive: true });
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    throw listenFailed(wanted, error);
  }
  const { address: host, port } = socket.address();
  return { host, port };
}

/** Turns of the event loop, each of which reads up to 32 datagrams: several times a full receive buffer. */
const readOutTurnsMax = 1_000;

/** Waits until a whole turn of the event loop has brought nothing new, or a sender does not stop. */
async function readOut(received: () => number): Promise<void> {
  let quietTurns = 0;
  // The first quiet turn may have begun after this turn's look at the sockets, so it takes two.
  for (let turn = 0; turn < readOutTurnsMax && quietTurns < 2; turn++) {
    const before = received();
    await setImmediate();
    quietTurns = received() === before ? quietTurns + 1 : 0;
  }
}

/** The kernel cuts the wish to its own limit without a word; this is the word. */
function warnOfSmallBuffer(socket: Socket, log: Logger): void {
  const bytes = socket.getRecvBufferSize();
  if (bytes >= receiveBufferBytes) return;
  log.warn(
    { bytes, wanted: receiveBufferBytes },
    'the kernel gives a small UDP receive buffer; raise net.core.rmem_max to lose nothing in bursts',
  );
}
