import { RaybridgeError } from '../errors.ts';

/** Where a listener binds, ready for `listen`: the host is an IP address or a name to resolve. */
export interface Address {
  readonly host: string;
  /** 0 to 65535; 0 takes a free port. */
  readonly port: number;
}

const endpointPattern = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/;
const portMax = 65_535;

/**
 * The address that `host:port` stands for. As in the Collector, an empty host (`:4317`) means every
 * IPv4 interface; an IPv6 address stands in brackets (`[::1]:4317`). `localhost` becomes 127.0.0.1,
 * so that one name opens one socket whatever the machine's hosts file says.
 * @throws RaybridgeError CONFIG_INVALID.
 */
export function parseAddress(endpoint: string): Address {
  const parts = endpointPattern.exec(endpoint);
  const port = Number(parts?.[3]);
  if (!parts || port > portMax) {
    throw new RaybridgeError('CONFIG_INVALID', `expected host:port, got ${JSON.stringify(endpoint)}`);
  }
  const bracketed = parts[1];
  if (bracketed !== undefined) return { host: bracketed === '' ? '::' : bracketed, port };
  const host = parts[2] ?? '';
  if (host === '') return { host: '0.0.0.0', port };
  return { host: host.toLowerCase() === 'localhost' ? '127.0.0.1' : host, port };
}

/** `host:port`, with brackets around an IPv6 address. */
export function printAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether a host name or IP address reaches this machine only. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || name === '::1' || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(name);
}
