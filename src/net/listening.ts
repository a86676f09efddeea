import { RaybridgeError } from '../errors.ts';
import type { Logger } from '../pipeline/component.ts';
import type { Listener, Status } from '../pipeline/status.ts';
import { isLoopback, parseAddress, printAddress, type Address } from './address.ts';
import { findPortHolder, type Transport } from './port-holder.ts';

/** Tells the banner that a listener is open, and the log when other machines can reach it. */
export function reportListening({
  status,
  log,
  listener,
}: {
  readonly status: Status;
  readonly log: Logger;
  readonly listener: Listener;
}): void {
  status.listening(listener);
  const { component, protocol, transport, address } = listener;
  log.info({ component, protocol, transport, address }, 'listening');
  if (isLoopback(parseAddress(address).host)) return;
  log.warn({ component, protocol, address }, 'this listener can be reached from other machines');
}

/** What was to listen where, for the message when it cannot. */
export interface WantedListener {
  readonly component: string;
  readonly protocol: string;
  readonly transport: Transport;
  readonly address: Address;
}

/** The error of a listener that does not open: it names the endpoint and, when it can, who holds the port. */
export function listenFailed(wanted: WantedListener, cause: unknown): RaybridgeError {
  const { component, protocol, transport, address } = wanted;
  const place = `${component}: cannot listen for ${protocol} on ${transport} ${printAddress(address)}`;
  return new RaybridgeError('LISTEN_FAILED', `${place}: ${explain(wanted, cause)}`, { cause });
}

function explain({ transport, address }: WantedListener, cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (text.includes('EADDRINUSE')) return inUse({ transport, port: address.port });
  if (text.includes('EACCES')) return 'the system does not permit this port to this user';
  if (text.includes('EADDRNOTAVAIL')) return 'this machine has no such address';
  if (text.includes('ENOTFOUND') || text.includes('EAI_AGAIN')) return 'the host name has no address';
  return text;
}

function inUse(port: { readonly transport: Transport; readonly port: number }): string {
  const holder = findPortHolder(port);
  if (!holder) return 'another program holds the port';
  if (holder.pid === process.pid) return 'this process already listens there; give each listener its own port';
  return `the port is held by ${holder.name} (process ${holder.pid})`;
}
