import type { IncomingMessage } from 'node:http';
import { RaybridgeError } from '../errors.ts';
import { isLoopback } from './address.ts';

/**
 * Keeps other web pages away from a listener that trusts whoever can reach it.
 *
 * A browser on this machine can be led to our port in two ways. By DNS rebinding a page's own name
 * comes to stand for 127.0.0.1; its requests then carry that name as `Host`, so a request that came
 * in over loopback must name loopback. By a plain cross-site form or fetch; that carries the page's
 * `Origin`, which must be ours if it is there. Over other interfaces every host name is taken,
 * because containers reach each other by names we cannot know.
 * @throws RaybridgeError FORBIDDEN.
 */
export function guardOrigin(message: IncomingMessage): void {
  const host = message.headers.host ?? '';
  if (isLoopback(message.socket.localAddress ?? '') && !isLoopback(hostName(host))) {
    throw new RaybridgeError('FORBIDDEN', 'Host: expected a loopback name such as 127.0.0.1 or localhost');
  }
  const origin = message.headers.origin;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    throw new RaybridgeError('FORBIDDEN', 'Origin: requests of other web pages are not answered');
  }
}

/** `[::1]:2080` is `[::1]`, `localhost:2080` is `localhost`. */
function hostName(host: string): string {
  return host.replace(/:\d*$/, '');
}
