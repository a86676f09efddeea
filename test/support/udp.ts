import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** Sends datagrams to host:port one after the other; resolves when the kernel has taken the last. */
export async function sendDatagrams(address: string, datagrams: readonly (string | Uint8Array)[]): Promise<void> {
  const [host, port] = address.split(':');
  const sender = createSocket('udp4');
  for (const datagram of datagrams) {
    await new Promise((resolve) => sender.send(datagram, Number(port), host, resolve));
  }
  sender.close();
  await once(sender, 'close');
}
