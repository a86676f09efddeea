import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

/** A request as it stands on the wire. */
export interface Sent {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

/** Nothing is read from it or written to it. */
const noConnection = new Socket();

/** What `node:http` would make of the request, without a connection: headers may hold what it refuses. */
export function toMessage({ method, target, headers, body }: Sent): IncomingMessage {
  const message = new IncomingMessage(noConnection);
  message.method = method;
  message.url = target;
  message.rawHeaders.push(...headers.flat());
  const encodings = headers.filter(([name]) => name.toLowerCase() === 'content-encoding').map(([, value]) => value);
  if (encodings.length > 0) message.headers['content-encoding'] = encodings.join(', ');
  message.push(body);
  message.push(null);
  message.complete = true;
  return message;
}
