import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request, type RequestOptions } from 'node:http';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends one request to host:port as it is given: `fetch` would tidy up the path and refuse some headers. */
export async function sendHttp(
  address: string,
  { body, ...options }: RequestOptions & { readonly body?: Uint8Array | string },
): Promise<HttpAnswer> {
  const [host, port] = address.split(':');
  const sent = request({ host, port, ...options });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage]; // As the event is documented.
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer); // No encoding is set.
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
}
